import { durationMs, PlenumError } from '../kernel/index.ts'
import { checkSchema, type CheckedSchema } from './checked-schema.ts'
import type { Caller } from './requests.ts'
import { shapeAt, whyNoPath } from './value-shape.ts'
import type { Schema } from './values.ts'

/** How the id of an entry is made where a write leaves it out; `given` where it may not. */
export type KeyMode = 'uuid7' | 'sharded' | 'sequence' | 'given'

/** One older shape of an entry type and the pure step from it to the next (UN10). */
export interface UpgradeDefinition {
  readonly from: CheckedSchema
  readonly step: (old: never) => unknown
  /** Fields that may go without being read. */
  readonly drops: readonly string[]
}

/** What a declaration says, as given to `entry`. */
export interface EntryOptions {
  readonly id: string | readonly string[]
  readonly route?: string | readonly string[] | undefined
  readonly keys?: 'uuid7' | 'sharded' | 'sequence' | false | undefined
  readonly indexes?: readonly (readonly string[])[] | undefined
  readonly fifo?: string | undefined
  readonly placement?: 'routed' | 'everywhere' | undefined
  readonly durable?: boolean | undefined
  readonly lease?: string | undefined
  readonly visible?: ((caller: Caller) => Readonly<Record<string, unknown>> | boolean) | undefined
  readonly upgrades?: readonly UpgradeDefinition[] | undefined
}

/** An entry type as the platform uses it: its declaration, checked and resolved once. */
export class EntryDefinition {
  readonly name: string
  readonly checked: CheckedSchema
  readonly id: readonly string[]
  readonly route: readonly string[]
  readonly keys: KeyMode
  readonly indexes: readonly (readonly string[])[]
  readonly fifo: string | undefined
  /** True where every partition has a copy of each entry. */
  readonly everywhere: boolean
  /** False where entries live in the memory of the primary alone. */
  readonly durable: boolean
  /** Milliseconds that an entry lives unless a write says otherwise; undefined is for ever. */
  readonly leaseMs: number | undefined
  /** Which rows a remote caller sees: a query, all or none. */
  readonly visible: (caller: Caller) => Readonly<Record<string, unknown>> | boolean
  readonly upgrades: readonly UpgradeDefinition[]

  /** Throws the errors of `checkSchema`, ENTRY_FIELD_UNKNOWN, DURATION_INVALID or UNIT_INVALID. */
  constructor(name: string, schema: Schema, options: EntryOptions) {
    const subject = `Entry type '${name}'`
    checkName(name)
    const checked = checkSchema(schema, subject)
    if (checked.shape.members.length === 0) {
      throw new PlenumError('SCHEMA_INVALID', `${subject} has a schema of something other than objects with fields.`)
    }
    this.name = name
    this.checked = Object.freeze({ ...checked, subject: `An entry of type '${name}'` })
    this.id = keyFields(checked, subject, 'id', options.id)
    this.route = options.route === undefined ? this.id : keyFields(checked, subject, 'route', options.route)
    this.keys = keyMode(subject, options.keys, this.id)
    this.indexes = (options.indexes ?? []).map((paths) => indexPaths(checked, subject, paths))
    this.fifo = options.fifo
    // Entries of a group are taken in write order, which an index has at hand.
    if (options.fifo !== undefined && !this.indexes.some(([first]) => first === options.fifo))
      this.indexes = [...this.indexes, [options.fifo]]
    if (options.fifo !== undefined) requirePath(checked, subject, 'fifo', options.fifo)
    this.everywhere = isEverywhere(subject, options)
    this.durable = isDurable(subject, options)
    if (!this.durable && (options.upgrades ?? []).length > 0)
      throw new PlenumError('UNIT_INVALID', `${subject} is not durable: a start finds no entries to upgrade.`, {
        details: { option: 'upgrades' },
      })
    this.leaseMs = options.lease === undefined ? undefined : durationMs(options.lease, `lease of ${subject}`)
    this.visible = options.visible ?? seeNothing
    this.upgrades = Object.freeze([...(options.upgrades ?? [])])
    Object.freeze(this)
  }

  /** Field names in the order in which values are kept. */
  get fieldNames(): readonly string[] {
    return this.checked.fieldNames
  }

  /** True where values may have other fields than the declared ones. */
  get open(): boolean {
    return this.checked.open
  }

  /** True where also co-located code's values run through the schema, because it fills in or changes fields. */
  get validateAlways(): boolean {
    return this.checked.validateAlways
  }
}

function seeNothing(): boolean {
  return false
}

function checkName(name: string): void {
  if (typeof name === 'string' && /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) return
  throw new PlenumError(
    'UNIT_INVALID',
    `${JSON.stringify(name)} cannot name an entry type: a name begins with a letter and has letters, digits, '-' and '_', 64 at most.`,
    { details: { name } },
  )
}

/** Id and route fields name an entry, so that every value must have them. */
function keyFields(
  checked: CheckedSchema,
  subject: string,
  option: string,
  given: string | readonly string[],
): readonly string[] {
  // Plain JavaScript gets past the types.
  if (typeof given !== 'string' && !Array.isArray(given)) {
    throw new PlenumError(
      'UNIT_INVALID',
      `${subject} does not say what names its entries: give { ${option}: '<field>' } as the third argument of entry(…).`,
      { details: { option } },
    )
  }
  const fields = typeof given === 'string' ? [given] : [...given]
  if (fields.length === 0) throw new PlenumError('UNIT_INVALID', `${subject} names no field as its ${option}.`)
  const { members } = checked.shape
  for (const field of fields) {
    requirePath(checked, subject, option, field)
    if (
      !members.every(({ fields: known, required, rest }) =>
        known.has(field) ? isAlwaysThere(checked, required, field) : rest !== undefined,
      )
    ) {
      throw new PlenumError(
        'ENTRY_FIELD_UNKNOWN',
        `${subject} has the ${option} '${field}', but not all of its values have that field. Make it required everywhere.`,
        { details: { option, field } },
      )
    }
  }
  return Object.freeze(fields)
}

/** A field with a default is not required on the way in, and there all the same. */
function isAlwaysThere(checked: CheckedSchema, required: ReadonlySet<string>, field: string): boolean {
  return required.has(field) || checked.validateAlways
}

function keyMode(subject: string, keys: EntryOptions['keys'], id: readonly string[]): KeyMode {
  if (keys === undefined || keys === false) return 'given'
  if (id.length === 1) return keys
  throw new PlenumError('UNIT_INVALID', `${subject} makes its ids (keys: '${keys}'), which needs an id of one field.`)
}

function isDurable(subject: string, { durable = true }: EntryOptions): boolean {
  if (typeof durable === 'boolean') return durable
  throw new PlenumError(
    'UNIT_INVALID',
    `${subject} is durable or not: true or false, not ${JSON.stringify(durable)}.`,
    {
      details: { option: 'durable' },
    },
  )
}

function isEverywhere(subject: string, { placement = 'routed', route, lease, durable }: EntryOptions): boolean {
  if (placement === 'routed') return false
  const refuse = (why: string): PlenumError =>
    new PlenumError('UNIT_INVALID', `${subject} ${why}.`, { details: { option: 'placement' } })
  if (placement !== 'everywhere')
    throw refuse(`has the placement ${JSON.stringify(placement)}; there are 'routed' and 'everywhere'`)
  if (route !== undefined) throw refuse('is everywhere, so that no route picks its partition: leave the route out')
  // Every copy would end it by the time of its own partition.
  if (lease !== undefined) throw refuse('is everywhere, and its entries cannot have a lease')
  if (durable === false) throw refuse('is everywhere, and what is everywhere is durable')
  return true
}

function indexPaths(checked: CheckedSchema, subject: string, paths: readonly string[]): readonly string[] {
  if (paths.length === 0) throw new PlenumError('UNIT_INVALID', `${subject} has an index of no fields.`)
  for (const path of paths) {
    requirePath(checked, subject, 'index', path)
    if (shapeAt(checked.shape, path)?.mayBeScalar !== false) continue
    throw new PlenumError(
      'UNIT_INVALID',
      `${subject} names '${path}' in an index, but what stands there is never a scalar. Index a path inside of it.`,
      { details: { option: 'index', field: path } },
    )
  }
  return Object.freeze([...paths])
}

/** ENTRY_FIELD_UNKNOWN unless some value of the schema may have something at the dotted path. */
function requirePath(checked: CheckedSchema, subject: string, option: string, path: string): void {
  const why = whyNoPath(checked.shape, path)
  if (why === undefined) return
  throw new PlenumError('ENTRY_FIELD_UNKNOWN', `${subject} names '${path}' as its ${option}, but ${why}.`, {
    details: { option, field: path, known: checked.fieldNames },
  })
}
