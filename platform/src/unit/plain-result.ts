import { PlenumError } from '../kernel/index.ts'

/**
 * A handler's result, checked to be plain (SC1) and frozen, because callers share it. HANDLER_ASYNC for a promise,
 * VALUE_NOT_PLAIN for anything else that is not plain.
 */
export function plainResult(value: unknown, part: string, depth = 0): unknown {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
    case 'string':
    case 'bigint':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw notPlain(part, `the number ${value}`)
    case 'object':
      return value === null ? null : plainObject(value, part, depth)
    default:
      throw notPlain(part, `a ${typeof value}`)
  }
}

/** A frozen copy of what a part of the unit goes on changing itself. VALUE_NOT_PLAIN for what is not plain data. */
export function plainCopy(value: unknown, part: string, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return plainResult(value, part)
  if (value instanceof Uint8Array) return value.slice()
  if (depth > 64) throw notPlain(part, 'something nested too deep, or a cycle')
  if (Array.isArray(value)) return Object.freeze(value.map((item) => plainCopy(item, part, depth + 1)))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw notPlain(part, nameOfClass(value))
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainCopy(item, part, depth + 1)])),
  )
}

function nameOfClass(value: object): string {
  return `a ${(value as { constructor?: { name?: string } }).constructor?.name ?? 'class instance'}`
}

function plainObject(value: object, part: string, depth: number): object {
  if (Object.isFrozen(value) || value instanceof Uint8Array) return value
  if ('then' in value && typeof value.then === 'function') {
    throw new PlenumError(
      'HANDLER_ASYNC',
      `The ${part} returned a promise. A handler is synchronous: do the waiting in a worker or a service. Nothing happened.`,
      { details: { part } },
    )
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    throw notPlain(part, nameOfClass(value))
  }
  if (depth > 64) throw notPlain(part, 'something nested too deep, or a cycle')
  for (const item of Object.values(value)) plainResult(item, part, depth + 1)
  return Object.freeze(value)
}

function notPlain(part: string, what: string): PlenumError {
  return new PlenumError('VALUE_NOT_PLAIN', `The ${part} gave ${what}, which is not plain data. Nothing happened.`, {
    details: { part },
  })
}
