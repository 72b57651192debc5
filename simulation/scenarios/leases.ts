import { isPlenumError, PlenumError, type Duration } from 'plenum'
import { requireOk, type Random } from 'plenum/testing'
import { checkHolds } from '../checkers/holds.ts'
import { Hold } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage, type Turn } from './scenario.ts'

/** What a client asks of holds; `ms` is the lease. */
type HoldStep =
  | { readonly f: 'hold' | 'renew'; readonly key: string; readonly ms: number }
  | { readonly f: 'look'; readonly key: string }

/** How many of the newest holds are renewed and looked at. */
const recent = 6
const leaseMsMax = 4_000
/** Virtual milliseconds within which all holds have to end after the faults. */
const endMsMax = 60_000

/** Entries that expire unless they are renewed. */
export const leases: Scenario = scenario<HoldStep>({
  name: 'leases',
  about: 'entries with a lease, renewed or not; there until it is over, gone for good afterwards',
  isRead: ({ f }) => f === 'look',
  draw: (random, count) => {
    let holds = 0
    return Array.from({ length: count }, (): HoldStep => {
      const kind = random.next()
      if (holds === 0 || kind < 0.15) return { f: 'hold', key: `hold-${holds++}`, ms: drawLease(random) }
      const key = `hold-${Math.max(0, holds - 1 - random.integer(recent))}`
      return kind < 0.4 ? { f: 'renew', key, ms: drawLease(random) } : { f: 'look', key }
    })
  },
  play: async (stage, turns) => {
    await takeTurns(stage, turns, take)
    await stage.world.settle()
    const { holds, found, missed } = requireOk('leases', checkHolds(stage.recorder.events))
    await allEnd(stage)
    return { holds, 'holds found': found, 'holds gone': missed }
  },
})

/** Every hold ends, though a takeover, which a stream may still cause when the faults have ended, starts leases anew. */
async function allEnd({ world, seats }: Stage): Promise<void> {
  const until = world.clock.monotonic() + endMsMax
  for (;;) {
    await world.sleep(`${leaseMsMax}ms`)
    const left = await seats[0]!.unit.space.count(Hold, {})
    if (left === 0) return
    if (world.clock.monotonic() < until) continue
    throw new PlenumError('CHECK_FAILED', `leases: ${left} holds outlived their leases.`)
  }
}

function drawLease(random: Random): number {
  return random.next() < 0.5 ? 50 + random.integer(500) : 500 + random.integer(leaseMsMax - 500)
}

async function take({ step, timeout }: Turn<HoldStep>, { unit, recorded, number }: Seat): Promise<void> {
  const { f, key } = step
  try {
    if (step.f === 'look') {
      const look = async (): Promise<boolean> => (await unit.space.get(Hold, { id: key }, { timeout })) !== undefined
      await recorded.run({ f, key }, look)
      return
    }
    const lease: Duration = `${step.ms}ms`
    const value = { id: key, holder: number }
    const put = (): Promise<unknown> =>
      step.f === 'hold'
        ? unit.space.insert(Hold, value, { timeout, lease })
        : unit.space.update(Hold, value, { timeout, lease })
    await recorded.run({ f, key, value: step.ms }, put, () => ({ value: step.ms }))
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}
