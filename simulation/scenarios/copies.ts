import { isPlenumError, type Duration } from 'plenum'
import {
  checkRegisters,
  RegisterClient,
  RegisterSteps,
  requireOk,
  type RegisterCalls,
  type RegisterStep,
} from 'plenum/testing'
import { Dial } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage } from './scenario.ts'

/**
 * A step, and the route of the handler that takes it if it is a read: each reads another copy. A write may be one of a
 * batch of two.
 */
type CopyStep = RegisterStep & {
  readonly from: string | undefined
  readonly also?: { readonly key: string; readonly value: number } | undefined
}

/** How one client calls now. */
interface Call {
  readonly unit: Seat['unit']
  timeout: Duration | undefined
  from: string | undefined
}

/** Values of the second writes of batches begin here. */
const firstOfBatch = 1_000_000
/** Routes of handlers: enough that each partition is asked. */
const routes = 16

/** Registers of which every partition has a copy: linearizable, whichever copy is read. */
export const copies: Scenario = scenario<CopyStep>({
  name: 'copies',
  about: 'entries that are everywhere: changed at all partitions at once, read from outside and by handlers',
  isRead: ({ f }) => f === 'read',
  draw: (random, count) => {
    const keys = 2 + random.integer(6)
    const steps = new RegisterSteps(random, keys)
    return Array.from({ length: count }, (_, at): CopyStep => {
      const step = steps.next()
      const from = random.next() < 0.7 ? `route-${random.integer(routes)}` : undefined
      // What a transaction writes has no stamp yet that a condition could name.
      if (step.f === 'cas') return { ...step, f: 'update', from }
      const key = `register-${random.integer(keys)}`
      const isBatch = step.f === 'write' && key !== step.key && random.next() < 0.5
      return isBatch ? { ...step, from, also: { key, value: firstOfBatch + at } } : { ...step, from }
    })
  },
  play: async (stage, turns) => {
    const clients = stage.seats.map(({ recorded, unit }) => {
      const call: Call = { unit, timeout: undefined, from: undefined }
      return { call, client: new RegisterClient(callsOf(call), recorded) }
    })
    await takeTurns(stage, turns, async ({ step, timeout }, { number }) => {
      const { call, client } = clients[number]!
      call.timeout = timeout
      call.from = step.from
      await (step.f === 'write' && step.also !== undefined
        ? writeBoth(stage, call, [step, step.also])
        : client.run(step))
    })
    await stage.world.settle()
    const keys = new Set(turns.map(({ step }) => step.key))
    const [{ call, client }] = clients as [(typeof clients)[number]]
    call.timeout = undefined
    for (const key of keys) {
      for (let route = 0; route < routes; route++) {
        call.from = `route-${route}`
        await client.run({ f: 'read', key })
      }
    }
    const checked = requireOk('copies', checkRegisters(stage.recorder.events))
    return { copies: checked.keys, 'operations on copies': checked.operations, 'search steps': checked.steps }
  },
})

/** Two writes of one batch, each recorded for itself, as if two clients had asked at once. */
async function writeBoth(
  { recorder }: Stage,
  { unit, timeout }: Call,
  values: readonly { readonly key: string; readonly value: number }[],
): Promise<void> {
  const batch = unit.space.writeAll(
    Dial,
    values.map(({ key, value }) => ({ id: key, value })),
    { timeout },
  )
  const recorded = values.map(({ key, value }, at) =>
    recorder.client().run(
      { f: 'write', key, value },
      async () => {
        const outcome = (await batch)[at]!
        if (!outcome.ok) throw outcome.error
        return outcome.value
      },
      ({ version }) => ({ value, version }),
    ),
  )
  for (const outcome of await Promise.allSettled(recorded)) {
    if (outcome.status === 'rejected' && !isPlenumError(outcome.reason)) throw outcome.reason
  }
}

function callsOf(call: Call): RegisterCalls {
  const space = () => call.unit.space
  const waiting = () => ({ timeout: call.timeout })
  return {
    get: async (id) => {
      if (call.from === undefined) return (await space().get(Dial, { id }, waiting()))?.value
      return (await call.unit.handlers.look({ from: call.from, dial: id }, waiting())) ?? undefined
    },
    write: async (id, value) => space().write(Dial, { id, value }, waiting()),
    insert: (id, value) => space().insert(Dial, { id, value }, waiting()),
    patch: async (id, value) => space().patch(Dial, { id }, { value }, waiting()),
    remove: (id) => space().remove(Dial, { id }, waiting()),
  }
}
