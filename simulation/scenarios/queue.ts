import { isPlenumError, type Duration } from 'plenum'
import { checkQueue, requireOk } from 'plenum/testing'
import { Errand } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage, type Turn } from './scenario.ts'

/** What a client does with errands; a take without a lane asks all partitions. */
type ErrandStep =
  | { readonly f: 'put'; readonly id: number; readonly lane: string }
  | {
      readonly f: 'take'
      readonly lane: string | undefined
      readonly wait: Duration | undefined
      /** The client gives up after so many virtual milliseconds. */
      readonly abortMs: number | undefined
    }

const lanes = 3

/** Errands that are put and taken, with and without waiting. */
export const queue: Scenario = scenario<ErrandStep>({
  name: 'queue',
  about: 'errands in lanes, taken by whoever comes or waits; each is taken once, in the order of its lane',
  isRead: () => false,
  draw: (random, count) =>
    Array.from({ length: count }, (_, id): ErrandStep => {
      const lane = `lane ${random.integer(lanes)}`
      if (random.next() < 0.5) return { f: 'put', id, lane }
      const wait = random.next() < 0.5 ? undefined : (`${1 + random.integer(2_000)}ms` as const)
      const abortMs = random.next() < 0.25 ? random.integer(1_500) : undefined
      return { f: 'take', lane: random.next() < 0.3 ? undefined : lane, wait, abortMs }
    }),
  play: async (stage, turns) => {
    await takeTurns(stage, turns, (turn, seat) => take(turn, seat, stage))
    await stage.world.settle()
    await drain(stage.seats[0]!)
    const { values, taken, empty, unknown, missing, ordered } = requireOk('queue', checkQueue(stage.recorder.events))
    const takes = { 'takes of nothing': empty, 'takes of unknown outcome': unknown }
    return { errands: values, taken, ...takes, missing, 'pairs in order': ordered }
  },
})

/** Takes what is left, until nothing is. */
async function drain({ unit, recorded }: Seat): Promise<void> {
  for (;;) {
    const id = await recorded.run({ f: 'take' }, async () => (await unit.space.take(Errand, {}))?.id ?? null)
    if (id === null) return
  }
}

async function take({ step, timeout }: Turn<ErrandStep>, seat: Seat, stage: Stage): Promise<void> {
  try {
    if (step.f === 'put') await put(step, timeout, seat)
    else await takeOne(step, timeout, seat, stage)
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}

async function put(
  { id, lane }: ErrandStep & { readonly f: 'put' },
  timeout: Duration | undefined,
  { unit, recorded }: Seat,
): Promise<void> {
  await recorded.run(
    { f: 'enqueue', key: lane, value: id },
    () => unit.space.insert(Errand, { id, lane }, { timeout }),
    () => ({ value: id }),
  )
}

async function takeOne(
  { lane, wait, abortMs }: ErrandStep & { readonly f: 'take' },
  timeout: Duration | undefined,
  { unit, recorded }: Seat,
  { world }: Stage,
): Promise<void> {
  const where = lane === undefined ? {} : { lane }
  const asked = lane === undefined ? { f: 'take' } : { f: 'take', key: lane }
  const controller = new AbortController()
  if (abortMs !== undefined) void world.sleep(`${abortMs}ms`).then(() => controller.abort())
  const options = { wait, timeout, ...(abortMs === undefined ? {} : { signal: controller.signal }) }
  await recorded.run(asked, async () => (await unit.space.take(Errand, where, options))?.id ?? null)
}
