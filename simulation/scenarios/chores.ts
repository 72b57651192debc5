import { isPlenumError, PlenumError, type Duration, type Of } from 'plenum'
import type { DumpLine } from 'plenum/testing'
import { choreAttempts, Chore, Counter } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage } from './scenario.ts'

type Chores = Of<typeof Chore>

/** What a client does: puts a chore, or changes one that may be worked on. */
type ChoreStep =
  | { readonly f: 'put'; readonly chore: Chores }
  | { readonly f: 'touch'; readonly chore: Chores; readonly note: number }

const tallies = 8
/** Virtual milliseconds between two looks at what is left to do, and how many there may be. */
const lookEveryMs = 250
const looksMax = 400

/** Workers of all members do chores in lanes, which are FIFO groups, and whatever fails comes back. */
export const chores: Scenario = scenario<ChoreStep>({
  name: 'chores',
  about: 'workers on all members: each chore counts once, in the order of its lane, whatever fails or dies meanwhile',
  isRead: () => false,
  workers: true,
  limits: (random) => ({ claimLeaseMs: [600, 2_000][random.integer(2)]! }),
  draw: (random, count) => {
    const lanes = [5, 40, 1_000][random.integer(3)]!
    const put: Chores[] = []
    return Array.from({ length: count }, (_, id): ChoreStep => {
      const known = put[random.integer(put.length + 1)]
      if (known !== undefined && random.next() < 0.1) return { f: 'touch', chore: known, note: id }
      const lane = random.integer(lanes)
      const fails = random.next() < 0.8 ? 0 : random.next() < 0.3 ? 1_000 : 1
      const chore: Chores = {
        id,
        house: `house ${lane % 4}`,
        lane: `lane ${lane}`,
        state: 'new',
        note: 0,
        tally: random.next() < 0.3 ? `tally ${random.integer(tallies)}` : '',
        takesMs: random.next() < 0.5 ? 0 : random.integer(60),
        fails,
        hangs: random.next() < 0.02,
      }
      put.push(chore)
      return { f: 'put', chore }
    })
  },
  play: async (stage, turns) => {
    const [first] = stage.seats
    stage.chores.liveIn((ms) => stage.world.sleep(`${ms}ms`))
    for (let at = 0; at < tallies; at++)
      await first!.unit.space.insert(Counter, { id: `tally ${at}`, total: 0 }, { key: `tally ${at}` })
    await takeTurns(stage, turns, async ({ step, timeout }, seat) => {
      try {
        await take(step, timeout, seat)
      } catch (error) {
        if (!isPlenumError(error)) throw error
      }
    })
    await stage.world.settle()
    stage.chores.heal()
    const dead = await workOff(stage, first!)
    return { ...(await check(stage, first!)), 'dead letters sent back': dead }
  },
})

async function take(step: ChoreStep, timeout: Duration | undefined, { unit, recorded }: Seat): Promise<void> {
  const { id, house } = step.chore
  if (step.f === 'touch') {
    await unit.space.patch(Chore, { id, house }, { note: step.note }, { timeout })
    return
  }
  await recorded.run({ f: 'put', value: id }, () => unit.space.insert(Chore, step.chore, { timeout }))
}

/** Sends back what is dead until all is done; how many dead letters there were. */
async function workOff({ world }: Stage, { unit }: Seat): Promise<number> {
  let dead = 0
  for (let look = 0; look < looksMax; look++) {
    dead += await unit.workers.chores.sendBack()
    if ((await unit.space.count(Chore, { state: 'new' })) === 0) return dead
    await world.sleep(`${lookEveryMs}ms`)
  }
  const left = await unit.space.readAll(Chore, { state: 'new' })
  throw wrong(`${left.length} chores are never done, such as ${JSON.stringify(left[0])}`)
}

/** All that was acked is there and done; each counted once, in the order of its lane. */
async function check(
  { world, recorder, chores: log }: Stage,
  { unit }: Seat,
): Promise<Readonly<Record<string, number>>> {
  const all = await unit.space.readAll(Chore, {})
  const there = new Set(all.map(({ id }) => id))
  for (const { type, f, op } of recorder.events) {
    if (type !== 'ok' || f !== 'put') continue
    const put = recorder.events.find((event) => event.op === op && event.type === 'invoke')
    if (!there.has(Number(put?.value))) throw wrong(`chore ${String(put?.value)} was acked, and is not there`)
  }
  for (const { id, tally, state } of all) {
    if (!log.hasDone(id)) throw wrong(`chore ${id} is ${state}, and nobody did it (tally '${tally}')`)
  }
  for (const { id, total } of await unit.space.readAll(Counter, { id: { startsWith: 'tally ' } })) {
    const counted = all.filter(({ tally }) => tally === id).length
    if (counted !== total) throw wrong(`${id} is ${total}, and ${counted} chores were to count there once each`)
  }
  await world.sleep('1s')
  const inOrder = checkOrder(all, world.journal(), log.lastAttempts)
  return {
    chores: all.length,
    'chores tried': log.calls,
    'chores that failed': log.failed,
    'chores done again': log.repeated,
    'chores in order': inOrder,
  }
}

/** SP9: the chores of a lane are done in the order in which they were put, those aside that may have been dead letters. */
function checkOrder(all: readonly Chores[], journal: readonly DumpLine[], aside: ReadonlySet<number>): number {
  const lanes = new Map(all.map(({ id, house, lane }) => [String(id), `${house} ${lane}`]))
  const put = new Map<string, string[]>()
  const done = new Map<string, string[]>()
  const over = new Set<string>()
  for (const { type, kind, key, value } of journal) {
    const lane = type === 'chore' && !aside.has(Number(key)) ? lanes.get(String(key)) : undefined
    if (lane === undefined) continue
    // What is done may be touched once more.
    const isDone = (value as Partial<Chores> | undefined)?.state === 'done' && !over.has(String(key))
    if (isDone) over.add(String(key))
    const list = kind === 'added' ? put : isDone ? done : undefined
    list?.set(lane, [...(list.get(lane) ?? []), String(key)])
  }
  let count = 0
  for (const [lane, keys] of put) {
    const own = done.get(lane) ?? []
    if (keys.join() !== own.join())
      throw wrong(`in ${lane} the chores ${keys.join()} were put, and done as ${own.join()}`)
    count += own.length
  }
  return count
}

function wrong(what: string): PlenumError {
  return new PlenumError('CHECK_FAILED', `chores: ${what} (a worker may try ${choreAttempts} times).`)
}
