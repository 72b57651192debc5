import type { Duration, Stamp } from 'plenum'
import {
  checkRegisters,
  RegisterClient,
  RegisterSteps,
  requireOk,
  type RegisterCalls,
  type RegisterStep,
  type RegisterWritten,
} from 'plenum/testing'
import { Register } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat } from './scenario.ts'

/** How one client calls now. */
type Call = Pick<Seat, 'unit'> & { timeout: Duration | undefined }

/** Registers that are read, written, compared and removed; each key is linearizable. */
export const register: Scenario = scenario<RegisterStep>({
  name: 'register',
  about: 'get, insert, write, patch with and without a stamp, remove; linearizable for each key',
  isRead: ({ f }) => f === 'read',
  draw: (random, count) => {
    const steps = new RegisterSteps(random, 4 + random.integer(12))
    return Array.from({ length: count }, () => steps.next())
  },
  play: async (stage, turns) => {
    const clients = stage.seats.map(({ recorded, unit }) => {
      const call: Call = { unit, timeout: undefined }
      return { call, client: new RegisterClient(callsOf(call), recorded) }
    })
    await takeTurns(stage, turns, async ({ step, timeout }, { number }) => {
      const { call, client } = clients[number]!
      call.timeout = timeout
      await client.run(step)
    })
    await stage.world.settle()
    const keys = new Set(turns.map(({ step }) => step.key))
    for (const { call, client } of clients) {
      call.timeout = undefined
      for (const key of keys) await client.run({ f: 'read', key })
    }
    const checked = requireOk('registers', checkRegisters(stage.recorder.events))
    return { registers: checked.keys, 'register operations': checked.operations, 'search steps': checked.steps }
  },
})

function callsOf(call: Call): RegisterCalls {
  // A stamp comes back as it was given; nothing else may be used as one.
  const stamps = new Map<number, Stamp>()
  const noted = ({ version, stamp }: { readonly version: number; readonly stamp: Stamp }): RegisterWritten => {
    stamps.set(stamp, stamp)
    return { version, stamp }
  }
  const space = () => call.unit.space
  const waiting = () => ({ timeout: call.timeout })
  return {
    get: async (id) => (await space().get(Register, { id }, waiting()))?.value,
    write: async (id, value) => noted(await space().write(Register, { id, value }, waiting())),
    insert: (id, value) => space().insert(Register, { id, value }, waiting()),
    patch: async (id, value, stamp) => {
      const ifStamp = stamp === undefined ? undefined : stamps.get(stamp)
      return noted(await space().patch(Register, { id }, { value }, { ...waiting(), ifStamp }))
    },
    remove: (id) => space().remove(Register, { id }, waiting()),
  }
}
