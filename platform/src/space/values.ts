import type { Duration } from '../kernel/index.ts'

export type { Duration }

/** What a single cell of a value may hold, and what queries compare. */
export type Scalar = null | boolean | number | bigint | string

/** Where a dotted path ends: nothing below it has a name of its own. */
export type Leaf = Scalar | Uint8Array | readonly unknown[]

/**
 * Standard Schema v1, the part that types need; zod and ArkType schemas fit as they are. The schema must also describe
 * itself as JSON Schema (`'~standard'.jsonSchema`), which is read when something is declared with it.
 */
export interface Schema<I = unknown, O = I> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => unknown
    readonly types?: { readonly input: I; readonly output: O } | undefined
  }
}

/** What a schema accepts. */
export type Input<S extends Schema> = NonNullable<S['~standard']['types']>['input']

/** What a schema makes of it. */
export type Output<S extends Schema> = NonNullable<S['~standard']['types']>['output']

/**
 * What a reader gets: the value, deeply readonly, because it is frozen and shared. Lists are spelt out so that recursive
 * schemas stay lazy; tuples keep their shape.
 */
export type Stored<V> = V extends Scalar | undefined | Uint8Array
  ? V
  : V extends readonly (infer Item)[]
    ? number extends V['length']
      ? readonly Stored<Item>[]
      : { readonly [K in keyof V]: Stored<V[K]> }
    : { readonly [K in keyof V]: Stored<V[K]> }

/** `unknown` where every leaf of V can be frozen and sent, else a sentence for the call site (SC1). */
export type Storable<V> =
  Refused<V> extends never
    ? unknown
    : {
        'only plain data can be stored: write a Date as a number of milliseconds; no Map, Set, class or function': never
      }

type Refused<V, Depth extends 1[] = []> = Depth['length'] extends 5
  ? never
  : V extends Scalar | undefined | Uint8Array
    ? never
    : V extends
          | Date
          | RegExp
          | ReadonlyMap<any, any>
          | ReadonlySet<any>
          | symbol
          | ((...rest: never) => unknown)
          | PromiseLike<unknown>
      ? V
      : { [K in keyof V]-?: Refused<V[K], [...Depth, 1]> }[V extends readonly unknown[] ? number & keyof V : keyof V]
