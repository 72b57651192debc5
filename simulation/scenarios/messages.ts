import { isPlenumError, PlenumError, type Of } from 'plenum'
import { Purse } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage } from './scenario.ts'

/** What a client does: has a purse give to another, or poke it, maybe later; or shuts one, so that pokes fail. */
type MessageStep =
  | { readonly f: 'give'; readonly purse: string; readonly to: string; readonly amount: number }
  | { readonly f: 'poke'; readonly purse: string; readonly to: string; readonly id: number; readonly afterMs: number }
  | { readonly f: 'shut'; readonly purse: string; readonly isShut: boolean }

const purses = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const balance = 100
/** Virtual milliseconds between two looks at what is not delivered, and how many there may be. */
const lookEveryMs = 250
const looksMax = 400

/** Handlers send messages over all partitions; each does once what it says, and gifts come in order. */
export const messages: Scenario = scenario<MessageStep>({
  name: 'messages',
  about: 'messages between partitions: each is delivered once, in order, and what fails is kept and sent back',
  isRead: () => false,
  limits: (random) => ({
    messagesInFlightMax: [1, 4, 256][random.integer(3)]!,
    messageAttemptsMax: [1, 2, 4][random.integer(3)]!,
  }),
  draw: (random, count) =>
    Array.from({ length: count }, (_, id): MessageStep => {
      const purse = purses[random.integer(purses.length)]!
      const to = purses[random.integer(purses.length)]!
      const kind = random.next()
      if (kind < 0.6) return { f: 'give', purse, to, amount: 1 + random.integer(9) }
      if (kind < 0.95) return { f: 'poke', purse, to, id, afterMs: random.next() < 0.5 ? 0 : random.integer(2_000) }
      return { f: 'shut', purse, isShut: random.next() < 0.5 }
    }),
  play: async (stage, turns) => {
    const [first] = stage.seats
    const empty = { balance, isShut: false, sent: {}, got: {}, astray: 0, poked: [] }
    for (const id of purses) await first!.unit.space.insert(Purse, { id, ...empty }, { key: `purse ${id}` })
    const poked = new Map<number, 'ok' | 'unknown'>()
    await takeTurns(stage, turns, async ({ step, timeout }, { unit }) => {
      try {
        if (step.f === 'give') {
          const { purse, to, amount } = step
          await unit.handlers.give({ purse, to, amount }, { timeout })
        } else if (step.f === 'poke') {
          const { purse, to, id, afterMs } = step
          poked.set(id, 'unknown')
          await unit.handlers.pokeOther({ purse, to, id, afterMs }, { timeout })
          poked.set(id, 'ok')
        } else await unit.space.patch(Purse, { id: step.purse }, { isShut: step.isShut }, { timeout })
      } catch (error) {
        if (!isPlenumError(error)) throw error
      }
    })
    await stage.world.settle()
    for (const id of purses) await first!.unit.space.patch(Purse, { id }, { isShut: false })
    const dead = await deliverAll(stage, first!)
    return { ...check(await first!.unit.space.readAll(Purse, {}), poked), 'dead letters sent back': dead }
  },
})

/** Sends back what is dead until all is delivered; how many dead letters there were. */
async function deliverAll({ world }: Stage, { unit }: Seat): Promise<number> {
  let dead = 0
  for (let look = 0; look < looksMax; look++) {
    const sentBack = await unit.messages.sendBack()
    dead += sentBack
    if (sentBack === 0 && (await unit.messages.pending()) === 0) return dead
    await world.sleep(`${lookEveryMs}ms`)
  }
  throw wrong(`${await unit.messages.pending()} messages are never delivered`)
}

/** No money is made or lost, no gift is lost or out of order, and each poke that was sent has come once. */
function check(all: readonly Of<typeof Purse>[], poked: ReadonlyMap<number, string>): Readonly<Record<string, number>> {
  const sum = all.reduce((total, purse) => total + purse.balance, 0)
  if (sum !== balance * purses.length) throw wrong(`the purses hold ${sum}, and were given ${balance * purses.length}`)
  let gifts = 0
  for (const { id, astray, got } of all) {
    if (astray > 0) throw wrong(`${astray} gifts to ${id} came out of their order, or more than once`)
    for (const from of all) {
      const [sent, came] = [from.sent[id] ?? 0, got[from.id] ?? 0]
      if (sent !== came) throw wrong(`${from.id} has sent ${sent} gifts to ${id}, and ${came} have come`)
      gifts += came
    }
  }
  const came = all.flatMap((purse) => purse.poked)
  for (const [id, outcome] of poked) {
    const times = came.filter((one) => one === id).length
    if (times > 1) throw wrong(`poke ${id} came ${times} times`)
    if (times === 0 && outcome === 'ok') throw wrong(`poke ${id} was sent, and never came`)
  }
  return { gifts, pokes: came.length }
}

function wrong(what: string): PlenumError {
  return new PlenumError('CHECK_FAILED', `messages: ${what}.`)
}
