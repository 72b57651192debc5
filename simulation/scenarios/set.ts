import { checkAckedSet, requireOk, runSetStep, SetSteps, type SetCalls, type SetStep } from 'plenum/testing'
import { Member } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Turn } from './scenario.ts'

/** A set of values that grows; what was acked is found by every later read. */
export const set: Scenario = scenario<SetStep>({
  name: 'set',
  about: 'inserts and removals, read as a whole over all partitions; nothing acked is lost',
  isRead: ({ f }) => f === 'read',
  draw: (random, count) => {
    const steps = new SetSteps(random)
    return Array.from({ length: count }, () => steps.next())
  },
  play: async (stage, turns) => {
    await takeTurns(stage, turns, take)
    await stage.world.settle()
    const last = { client: 0, pauseMs: 0, timeout: undefined, step: { f: 'read' } } as const
    for (const seat of stage.seats) await take(last, seat)
    const { values, acked, unknown, reads } = requireOk('set', checkAckedSet(stage.recorder.events))
    return { values, 'writes acked': acked, 'writes of unknown outcome': unknown, 'reads of the set': reads }
  },
})

async function take({ step, timeout }: Turn<SetStep>, { unit, recorded }: Seat): Promise<void> {
  const calls: SetCalls = {
    insert: (value) => unit.space.insert(Member, { value }, { timeout }),
    remove: (value) => unit.space.remove(Member, { value }, { timeout }),
    readAll: async () => (await unit.space.readAll(Member, {}, { timeout })).map(({ value }) => value),
  }
  await runSetStep(step, calls, recorded)
}
