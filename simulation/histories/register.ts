import { checkRegisters, type Answered, type Asked, type Random } from 'plenum/testing'
import { performOnRegister, readsOf } from './registers.ts'
import { drawTurn, type Script, type Size, type Workload } from './workload.ts'

/** How often each operation is drawn, of 20. */
const shares = [
  ['read', 6],
  ['write', 4],
  ['cas', 4],
  ['update', 2],
  ['take', 2],
  ['insert', 1],
  ['delete', 1],
] as const

/** A value that nobody writes, for a comparison by a client that has seen none. */
const neverWritten = 0

/** Registers under every operation there is; each key is linearizable. */
export const register: Workload = {
  name: 'register',
  about: 'read, write, cas, insert, update, take and delete; linearizable for each key',
  draw: (random, size) => new RegisterScript(random, size),
  perform: performOnRegister,
  check: (history) => {
    const result = checkRegisters(history)
    if (!result.ok) return result
    const { keys, operations } = result
    return { ok: true, counts: { registers: keys, operations } }
  },
}

class RegisterScript implements Script {
  readonly opening = []
  readonly turns: Script['turns']
  readonly closing: readonly Asked[]
  /** What a client was told last of each key, so that a comparison often holds. */
  readonly #seen = new Map<string, number>()

  constructor(random: Random, size: Size) {
    const keys = 3 + random.integer(10)
    const steps = Array.from({ length: size.operations }, (_, at): Asked => {
      const f = drawOperation(random)
      // The first keys are used most; values are unique, so that each read tells which write it saw.
      const key = `r${Math.floor(keys * random.next() ** 2)}`
      return f === 'read' || f === 'take' || f === 'delete' ? { f, key } : { f, key, value: at + 1 }
    })
    this.turns = steps.map((step) => drawTurn(random, size, step))
    this.closing = readsOf(steps)
  }

  readonly ask = (step: Asked): Asked =>
    step.f === 'cas' ? { ...step, value: [this.#seen.get(step.key ?? '') ?? neverWritten, step.value] } : step

  readonly hear = ({ f, key = '', value }: Asked, answered: Answered): void => {
    if (f === 'take' || f === 'delete') this.#seen.delete(key)
    const told: unknown = f === 'cas' ? (value as readonly unknown[])[1] : answered.value
    if (f !== 'take' && typeof told === 'number') this.#seen.set(key, told)
  }
}

function drawOperation(random: Random): (typeof shares)[number][0] {
  let left = random.integer(20)
  for (const [f, share] of shares) {
    left -= share
    if (left < 0) return f
  }
  return 'read'
}
