import { isPlenumError } from 'plenum'
import { checkSessions, requireOk, type Random } from 'plenum/testing'
import { checkCounters } from '../checkers/counters.ts'
import { Counter } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Turn } from './scenario.ts'

/** A call that must not run twice: with a key of the caller's own, or under the client's session alone. */
type CallStep = {
  readonly f: 'add' | 'addAndThrow'
  readonly counter: string
  readonly by: number
  readonly key: string | undefined
}

/** Calls that add up, sent again and again; each has its effect once, and one answer. */
export const calls: Scenario = scenario<CallStep>({
  name: 'calls',
  about: 'handlers with keys that several clients repeat, and without; exactly once, one answer for each',
  limits: (random) => ({
    // Short enough that a client that waits loses its session.
    sessionLeaseMs: [3_000, 10_000, 60_000][random.integer(3)]!,
    attemptsMax: 2 + random.integer(2),
  }),
  isRead: () => false,
  draw: (random, count) => {
    const keys = 1 + random.integer(Math.floor(count / 2))
    const byKey = Array.from({ length: keys }, (_, key) => drawCall(random, `key-${key}`))
    return Array.from({ length: count }, () =>
      random.next() < 0.6 ? byKey[random.integer(keys)]! : drawCall(random, undefined),
    )
  },
  play: async (stage, turns) => {
    await takeTurns(stage, turns, take)
    await stage.world.settle()
    const { requests, repeated, answered } = requireOk(
      'calls',
      checkSessions(stage.recorder.events, stage.world.journal()),
    )
    const counters = await stage.seats[0]!.unit.space.readAll(Counter, {})
    const totals = new Map(counters.map(({ id, total }) => [id, total]))
    const sums = requireOk('counters', checkCounters(stage.recorder.events, totals))
    return { 'keys called': requests, 'keys repeated': repeated, 'keys answered': answered, additions: sums.additions }
  },
})

function drawCall(random: Random, key: string | undefined): CallStep {
  const f = random.next() < 0.1 ? 'addAndThrow' : 'add'
  return { f, counter: `counter-${random.integer(6)}`, by: 1 + random.integer(30), key }
}

async function take({ step, timeout }: Turn<CallStep>, { unit, recorded }: Seat): Promise<void> {
  const { f, counter, by, key } = step
  const asked = { f, key: counter, value: by, request: key }
  try {
    const call = (): Promise<unknown> => unit.handlers[f]({ counter, by }, { timeout, key })
    await recorded.run(asked, call)
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}
