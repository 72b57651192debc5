/**
 * A place for something from outside (a payment service, another unit): given by the composition, faked in tests,
 * absent from handlers (UN1). T is never there at run time; it is what the composition has to give.
 */
export interface Port<T> {
  readonly kind: 'port'
  readonly '~'?: T
}

/** What a unit uses from outside, by name. */
export type Uses = Readonly<Record<string, Port<unknown>>>

/** What the composition gives for it. */
export type Given<U extends Uses> = { readonly [K in keyof U]: U[K] extends Port<infer T> ? T : never }

const ports = new WeakSet<object>()

/** Declares something that a unit uses from outside. */
export function port<T>(): Port<T> {
  const made: Port<T> = Object.freeze({ kind: 'port' })
  ports.add(made)
  return made
}

/** The first name for which nothing is given, or only a port, which is the place and not what fills it. */
export function unfilled(
  names: readonly string[],
  given: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  return names.find((name) => {
    const value = given?.[name]
    return value === undefined || (typeof value === 'object' && value !== null && ports.has(value))
  })
}
