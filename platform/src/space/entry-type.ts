import type { Duration } from '../kernel/index.ts'
import { PlenumError } from '../kernel/index.ts'
import { checkSchema } from './checked-schema.ts'
import { EntryDefinition, type EntryOptions, type UpgradeDefinition } from './entry-definition.ts'
import type { Caller } from './requests.ts'
import type { Input, Output, Schema, Storable, Stored } from './values.ts'
import type { Field, Path, Where } from './where.ts'

/** What the types know of an entry type: what goes in, what is kept, and what names an entry. */
export interface EntryShape {
  input: object
  value: object
  id: string
  route: string
  keyed: boolean
}

/** The token of an entry type. The name comes first, so that diagnostics begin with it. */
export interface EntryType<N extends string = string, S extends EntryShape = any> {
  readonly kind: 'entry'
  readonly name: N
  readonly '~': S
}

/** Any entry type. */
export type AnyEntry = EntryType<string, any>

/** The value of an entry type as its schema makes it, before it is frozen. */
export type Value<T extends AnyEntry> = T['~']['value']

/** The value of an entry type as it is read: `type Order = Of<typeof Order>`. */
export type Of<T extends AnyEntry> = Stored<Value<T>>

/** What names one entry, and its partition: the id fields and the route fields (ID1). */
export type Key<T extends AnyEntry> = Readonly<Pick<Value<T>, (T['~']['id'] | T['~']['route']) & keyof Value<T>>>

/** What may be written: the schema's input; the id is optional where the space makes it. */
export type New<T extends AnyEntry> = T['~']['keyed'] extends true
  ? OptionalId<Stored<T['~']['input']>, T['~']['id']>
  : Stored<T['~']['input']>

type OptionalId<V, I extends string> = V extends unknown ? Omit<V, I> & Partial<Pick<V, I & keyof V>> : never

/** The name of an entry type, where it is known as a literal. */
export type NameOf<E extends AnyEntry> = string extends E['name'] ? never : E['name']

/** The entry type that R refers to: itself, or the one of E with that name. */
export type Named<E extends AnyEntry, R> = R extends AnyEntry ? R : Extract<E, { readonly name: R }>

/** An older shape of an entry type and the step from it to the next; made by `upgrade`. */
export interface Upgrade {
  readonly kind: 'upgrade'
  readonly from: Schema
  readonly step: (old: never) => unknown
  readonly drops: readonly string[]
}

/**
 * Declares an entry type: its name, its schema, and what names and routes its entries. Throws a PlenumError if the
 * schema cannot be used (SCHEMA_INVALID, SCHEMA_ASYNC, SCHEMA_UNSTABLE, VALUE_NOT_PLAIN, FIELD_RESERVED) or a field is
 * named that it does not have (ENTRY_FIELD_UNKNOWN).
 *
 * @example
 * const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), { id: 'id' })
 */
export function entry<
  const N extends string,
  S extends Schema<any, object>,
  const I extends Field<Output<S>>,
  const R extends Field<Output<S>> = I,
  const K extends 'uuid7' | 'sharded' | 'sequence' | false = false,
>(
  name: N,
  schema: S & Storable<Output<S>>,
  options: {
    readonly id: I | readonly I[]
    /** The fields whose hash picks the partition; the id's where it is left out. */
    readonly route?: R | readonly R[]
    readonly keys?: K
    readonly indexes?: readonly (readonly Path<Output<S>>[])[]
    readonly fifo?: Field<Output<S>>
    /**
     * `everywhere`: every partition has a copy of each entry, so that all handlers can read it; for reference data, which
     * is read often and changed seldom. Changes come from outside, as transactions over all partitions.
     */
    readonly placement?: 'routed' | 'everywhere'
    /**
     * False: entries live in memory only, and no change of them waits for a journal; for presence, positions, caches. They
     * are all gone when another member takes over or the process ends, and no transaction can hold them.
     */
    readonly durable?: boolean
    readonly lease?: Duration
    /** Rows a remote caller may read and watch. Absent: none; only code of the unit sees them. */
    readonly visible?: (caller: Caller) => Where<Output<S>> | boolean
    /** Older shapes, oldest first; each is a schema and a pure step to the next. */
    readonly upgrades?: readonly Upgrade[]
  },
): EntryType<
  N,
  { input: Input<S> & object; value: Output<S> & object; id: I; route: R; keyed: K extends string ? true : false }
>
export function entry(
  name: string,
  schema: Schema,
  given: Omit<EntryOptions, 'upgrades'> & { readonly upgrades?: readonly Upgrade[] },
): AnyEntry {
  // Plain JavaScript may leave them out; what is missing is named below.
  const options = (given as typeof given | undefined) ?? ({} as typeof given)
  const upgrades = (options.upgrades ?? []).map((step, at) => upgradeDefinition(name, step, at))
  const definition = new EntryDefinition(name, schema, { ...options, upgrades })
  return Object.freeze({ kind: 'entry', name, '~': definition })
}

/**
 * Declares an older shape of an entry type and the pure, synchronous step from it to the next one. What is stored stays;
 * it is read as the step makes it. A field that the next schema does not have must be read by the step by its name, or
 * stand in `drops`.
 *
 * @example
 * const Person = entry('person', z.object({ id: z.string(), name: z.string() }), {
 *   id: 'id',
 *   upgrades: [upgrade(PersonBefore, ({ first, last, ...rest }) => ({ ...rest, name: `${first} ${last}` }))],
 * })
 */
export function upgrade<S extends Schema, V>(
  from: S,
  step: (
    old: Stored<Output<S>>,
  ) => V extends PromiseLike<unknown>
    ? { 'a step is synchronous and cannot return a promise: all that it needs is the old value': never }
    : V,
  options: { readonly drops?: readonly Field<Output<S>>[] } = {},
): Upgrade {
  return Object.freeze({ kind: 'upgrade', from, step, drops: Object.freeze([...(options.drops ?? [])]) })
}

/** What `entry` made of a declaration. UNIT_INVALID for anything that is not a token of this package. */
export function definitionOf(type: AnyEntry): EntryDefinition {
  const definition: unknown = type['~']
  if (definition instanceof EntryDefinition) return definition
  throw new PlenumError('UNIT_INVALID', 'An entry type is expected: what entry(…) of this copy of plenum returned.')
}

function upgradeDefinition(name: string, given: Upgrade, at: number): UpgradeDefinition {
  const subject = `Upgrade ${at + 1} of entry type '${name}'`
  // Plain JavaScript gets past the types.
  if ((given as Partial<Upgrade> | undefined)?.kind !== 'upgrade' || typeof given.step !== 'function') {
    throw new PlenumError(
      'UNIT_INVALID',
      `${subject} is not what upgrade(schema, step) of this copy of plenum returned.`,
      {
        details: { option: 'upgrades', upgrade: at + 1 },
      },
    )
  }
  const { from, step, drops } = given
  const checked = checkSchema(from, subject)
  for (const field of drops) {
    if (checked.shape.merged.fields.has(field)) continue
    throw new PlenumError('ENTRY_FIELD_UNKNOWN', `${subject} drops '${field}', which its schema does not have.`, {
      details: { option: 'drops', field, known: checked.fieldNames },
    })
  }
  return Object.freeze({ from: checked, step, drops })
}
