import { PlenumError } from '../../kernel/index.ts'

/** What must not be used beside the data, and what to use instead (UN13). */
const instead = {
  Date: 'context.now',
  'Date.now': 'context.now',
  'Math.random': 'context.random()',
  'crypto.randomUUID': 'context.newId()',
  'crypto.getRandomValues': 'context.random()',
  'performance.now': 'context.now',
  setTimeout: 'a worker or a service',
  setInterval: 'a schedule',
  setImmediate: 'a worker or a service',
  queueMicrotask: 'a worker or a service',
  fetch: 'a worker or a service',
} as const

interface Replacement {
  readonly owner: object
  readonly name: string
  readonly guarded: unknown
}

/**
 * Runs a unit's function with the outside world closed: the globals of the list throw HANDLER_IMPURE while it runs
 * and are themselves again afterwards. For development and tests; it costs about a microsecond a call.
 */
export class PurityGuard {
  readonly #replacements: readonly Replacement[]
  #part = ''
  readonly #saved: (PropertyDescriptor | undefined)[] = []

  constructor() {
    const date = new Proxy(Date, {
      construct: (target, args: unknown[], newTarget: typeof Date) =>
        args.length === 0 ? this.#refuse('Date') : (Reflect.construct(target, args, newTarget) as object),
      apply: () => this.#refuse('Date'),
      get: (target, name) => (name === 'now' ? () => this.#refuse('Date.now') : (Reflect.get(target, name) as unknown)),
    })
    const refusing = (owner: object, name: string, full: keyof typeof instead): Replacement => ({
      owner,
      name,
      guarded: () => this.#refuse(full),
    })
    this.#replacements = [
      { owner: globalThis, name: 'Date', guarded: date },
      refusing(Math, 'random', 'Math.random'),
      refusing(globalThis.crypto, 'randomUUID', 'crypto.randomUUID'),
      refusing(globalThis.crypto, 'getRandomValues', 'crypto.getRandomValues'),
      refusing(performance, 'now', 'performance.now'),
      ...(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch'] as const).map((name) =>
        refusing(globalThis, name, name),
      ),
    ]
  }

  /** Closes the outside world to `part`, which errors name. Calls do not nest. */
  enter(part: string): void {
    this.#part = part
    for (const { owner, name, guarded } of this.#replacements) {
      this.#saved.push(Object.getOwnPropertyDescriptor(owner, name))
      Object.defineProperty(owner, name, { value: guarded, configurable: true, writable: true })
    }
  }

  /** Opens it again. */
  leave(): void {
    for (const [at, { owner, name }] of this.#replacements.entries()) {
      const before = this.#saved[at]
      if (before === undefined) Reflect.deleteProperty(owner, name)
      else Object.defineProperty(owner, name, before)
    }
    this.#saved.length = 0
  }

  #refuse(name: keyof typeof instead): never {
    throw new PlenumError(
      'HANDLER_IMPURE',
      `The ${this.#part} used ${name}, so that a replay would not give the same. Use ${instead[name]} instead. Nothing happened.`,
      { details: { part: this.#part, used: name, instead: instead[name] } },
    )
  }
}
