import { isPlenumError, PlenumError, type Of, type OutputEvent } from 'plenum'
import { Purse, Tally } from '../unit.ts'
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
    const reader = new OutputReader(first!)
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
    const all = await first!.unit.space.readAll(Purse, {})
    const outputs = await checkFolded(stage, first!, all, reader)
    return { ...check(all, poked), ...outputs, 'dead letters sent back': dead }
  },
})

/** Sends back what is dead until all is delivered; how many dead letters there were. */
async function deliverAll({ world }: Pick<Stage, 'world'>, { unit }: Pick<Seat, 'unit'>): Promise<number> {
  let dead = 0
  for (let look = 0; look < looksMax; look++) {
    const sentBack = await unit.messages.sendBack()
    dead += sentBack
    if (sentBack === 0 && (await unit.messages.pending()) === 0) return dead
    await world.sleep(`${lookEveryMs}ms`)
  }
  throw wrong(`${await unit.messages.pending()} messages are never delivered`)
}

/** Follows what the projection puts out, from before the first turn on. */
class OutputReader {
  /** The newest output of each purse. */
  readonly newest = new Map<string, { readonly changes: number; readonly balance: number }>()
  outputs = 0
  resets = 0
  #complaint: string | undefined

  constructor({ unit }: Seat) {
    void this.#follow(unit.projections.wealth.outputs())
  }

  /** What was put out twice, left out or in another order, if anything was. */
  get complaint(): string | undefined {
    return this.#complaint
  }

  async #follow(events: AsyncIterable<OutputEvent>): Promise<void> {
    for await (const event of events) {
      if (event.kind === 'reset') this.resets += 1
      if (event.kind !== 'outputs') continue
      for (const { topic, event: told } of event.outputs)
        this.#hear(topic, told as { changes: number; balance: number })
    }
  }

  #hear(purse: string, told: { readonly changes: number; readonly balance: number }): void {
    const before = this.newest.get(purse)
    this.outputs += 1
    this.newest.set(purse, told)
    if (before === undefined || told.changes === before.changes + 1) return
    if (told.changes > before.changes && this.resets > 0) return
    this.#complaint ??= `output ${told.changes} of purse ${purse} came after ${before.changes}`
  }
}

/** The projection has folded every change of a purse once, and has put out each, which its reader has heard. */
async function checkFolded(
  { world }: Stage,
  { unit }: Seat,
  all: readonly Of<typeof Purse>[],
  reader: OutputReader,
): Promise<Readonly<Record<string, number>>> {
  const { value: folded = [] } = await unit.tasks.wealth({}).total()
  for (const { id, balance } of all) {
    const own = folded.find((one) => one.id === id)
    if (own?.balance !== balance) throw wrong(`purse ${id} holds ${balance}, and its projection ${own?.balance}`)
    const { version } = await unit.space.patch(Purse, { id }, { isShut: false })
    if (own.changes !== version - 1)
      throw wrong(`purse ${id} was changed ${version - 1} times, and ${own.changes} are folded`)
    for (let look = 0; reader.newest.get(id)?.changes !== version && look < looksMax; look++)
      await world.sleep(`${lookEveryMs}ms`)
    if (reader.newest.get(id)?.changes !== version) throw wrong(`output ${version} of purse ${id} was not heard`)
    await deliverAll({ world }, { unit })
    const tally = await unit.space.get(Tally, { purse: id })
    if (tally?.changes !== version || tally.astray > 0)
      throw wrong(
        `purse ${id} was changed ${version} times; of what was sent ${tally?.changes} came, ${tally?.astray} out of order`,
      )
  }
  if (reader.complaint !== undefined) throw wrong(reader.complaint)
  return { outputs: reader.outputs, 'outputs gone': reader.resets }
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
