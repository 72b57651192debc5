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
import { scenario, takeTurns, type Scenario, type Seat, type Stage } from './scenario.ts'

/** How one client calls now. */
type Call = Pick<Seat, 'unit'> & { timeout: Duration | undefined }

/** An entry type of registers, by its name. */
type RegisterType = 'register' | 'spot'

/** What makes a scenario of registers another one. */
interface RegisterScenario {
  readonly name: string
  readonly about: string
  readonly type: RegisterType
  /** How often each register may have lost what it held by itself. */
  readonly vanishings?: (stage: Stage) => number
}

function registers({ name, about, type, vanishings }: RegisterScenario): Scenario {
  return scenario<RegisterStep>({
    name,
    about,
    isRead: ({ f }) => f === 'read',
    draw: (random, count) => {
      const steps = new RegisterSteps(random, 4 + random.integer(12))
      return Array.from({ length: count }, () => steps.next())
    },
    play: async (stage, turns) => {
      const clients = stage.seats.map(({ recorded, unit }) => {
        const call: Call = { unit, timeout: undefined }
        return { call, client: new RegisterClient(callsOf(call, type), recorded) }
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
      const checked = requireOk(name, checkRegisters(stage.recorder.events, { vanishings: vanishings?.(stage) }))
      return { [`${type}s`]: checked.keys, [`${type} operations`]: checked.operations, 'search steps': checked.steps }
    },
  })
}

/** Registers that are read, written, compared and removed; each key is linearizable. */
export const register: Scenario = registers({
  name: 'register',
  about: 'get, insert, write, patch with and without a stamp, remove; linearizable for each key',
  type: 'register',
})

/** Registers that are not durable: each key is linearizable, but that another reign begins with nothing. */
export const spots: Scenario = registers({
  name: 'spots',
  about: 'the same on entries that are not durable; each takeover may lose what there was, and nothing else does',
  type: 'spot',
  vanishings: reignsOf,
})

/** Reigns of the partition that had the most, beside the first. */
function reignsOf({ world }: Stage): number {
  const opened = world.journal().filter(({ kind }) => kind === 'open')
  const counts = [...Map.groupBy(opened, ({ partition }) => partition).values()].map(({ length }) => length - 1)
  return Math.max(0, ...counts)
}

function callsOf(call: Call, type: RegisterType): RegisterCalls {
  // A stamp comes back as it was given; nothing else may be used as one.
  const stamps = new Map<number, Stamp>()
  const noted = ({ version, stamp }: { readonly version: number; readonly stamp: Stamp }): RegisterWritten => {
    stamps.set(stamp, stamp)
    return { version, stamp }
  }
  const space = () => call.unit.space
  const waiting = () => ({ timeout: call.timeout })
  return {
    get: async (id) => (await space().get(type, { id }, waiting()))?.value,
    write: async (id, value) => noted(await space().write(type, { id, value }, waiting())),
    insert: (id, value) => space().insert(type, { id, value }, waiting()),
    patch: async (id, value, stamp) => {
      const ifStamp = stamp === undefined ? undefined : stamps.get(stamp)
      return noted(await space().patch(type, { id }, { value }, { ...waiting(), ifStamp }))
    },
    remove: (id) => space().remove(type, { id }, waiting()),
  }
}
