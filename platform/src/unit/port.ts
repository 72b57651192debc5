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

/** Declares something that a unit uses from outside. */
export function port<T>(): Port<T> {
  return Object.freeze({ kind: 'port' })
}
