import type { Leaf, Scalar } from './values.ts'

/** The names of a value's fields; of a union, those of every member. */
export type Field<V> = V extends unknown ? keyof V & string : never

/** A field or a dotted path into nested objects, four names deep at most; members of a union included. */
export type Path<V, Depth extends 1[] = []> = V extends unknown
  ? {
      [K in Field<V>]-?: Depth['length'] extends 3
        ? K
        : K | Below<K, Exclude<V[K & keyof V], Leaf | undefined>, [...Depth, 1]>
    }[Field<V>]
  : never

type Below<K extends string, V, Depth extends 1[]> = [V] extends [never] ? never : `${K}.${Path<V, Depth>}`

/** The type of what stands at a path. */
export type At<V, P extends string> = V extends unknown
  ? P extends keyof V
    ? V[P]
    : P extends `${infer Head}.${infer Rest}`
      ? Head extends keyof V
        ? At<NonNullable<V[Head]>, Rest>
        : never
      : never
  : never

/**
 * A query: a template by example with operators. An object in a field's place is always operators; nesting is a dotted
 * path; `and`, `or` and `not` are the only reserved names.
 */
export type Where<V> = { readonly [P in Path<V>]?: Condition<At<V, P>> } & {
  readonly and?: readonly Where<V>[]
  readonly or?: readonly Where<V>[]
  readonly not?: Where<V>
}

/** What may stand in a field's place: a value to be equal to, or operators. */
export type Condition<V> = Extract<V, Scalar> | Operators<Exclude<V, undefined>>

/** The operators that make sense for a field's type; several in one object must all hold. */
export type Operators<V> = {
  readonly eq?: V
  readonly ne?: V
  readonly in?: readonly V[]
  readonly notIn?: readonly V[]
  readonly exists?: boolean
} & ([NonNullable<V>] extends [number | bigint | string] ? Ordered<NonNullable<V>> : unknown) &
  ([NonNullable<V>] extends [string] ? { readonly like?: string; readonly startsWith?: string } : unknown) &
  (NonNullable<V> extends readonly (infer Item)[]
    ? { readonly contains?: Item extends Scalar ? Item : Where<Item> }
    : unknown)

interface Ordered<V> {
  readonly lt?: V
  readonly lte?: V
  readonly gt?: V
  readonly gte?: V
  readonly between?: readonly [V, V]
}
