/** True for an object that is not a list: something with named members, whatever its class. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === 'object' && value !== null && !Array.isArray(value)) || typeof value === 'function'
}

/** True for an object literal's prototype, also one of another realm (a vm context), and for none at all. */
export function isPlainPrototype(prototype: object | null): boolean {
  if (prototype === Object.prototype || prototype === null) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}
