import { PlenumError } from '../kernel/index.ts'
import { readValue, writeValue, type ByteReader, type ByteWriter } from '../codec/index.ts'

/** A stored value: plain, deep-frozen, its fields in the layout's order. */
export type StoredValue = Readonly<Record<string, unknown>>

/**
 * What the machine knows of an entry type: enough to find, encode and decode its values without the unit's code, so
 * that a journal can be read by tools. Layouts stand in UPGRADE records.
 */
export interface Layout {
  readonly name: string
  /** Field names in the order in which values are written. */
  readonly fields: readonly string[]
  /** True where values may have other fields too; they are then written with their names. */
  readonly open: boolean
  readonly id: readonly string[]
  readonly route: readonly string[]
  /** Lists of dotted paths: equality from the first on, order on the last. */
  readonly indexes?: readonly (readonly string[])[] | undefined
  /** The field whose values make FIFO groups (SP9). */
  readonly fifo?: string | undefined
  /** True where every partition has a copy of each entry. */
  readonly everywhere?: true | undefined
  /** False where entries live in the memory of the primary alone. */
  readonly durable?: false | undefined
  /** For each schema that the type has had, oldest first, how many upgrades lie behind it (UN10). One, if left out. */
  readonly shapes?: readonly number[] | undefined
  /** The newest of these schemas. */
  readonly schema?: NewestSchema | undefined
}

/** What a journal notes of the schema under which the entries of a type are put now. */
export interface NewestSchema {
  readonly hash: string
  /** The fields that it names. */
  readonly fields: readonly string[]
  /** The reign that began with it: what was told before looked otherwise. None where the type began with it. */
  readonly epoch?: number
}

/** The platform's own bookkeeping is kept in tables of these layouts, beside the unit's entries. */
export const ownLayouts = {
  /** A registered session and the lowest request number that it still has open (SP12). */
  session: layout('plenum.session', ['session', 'lowest'], ['session']),
  /** The kept answer to one numbered request. */
  answer: layout('plenum.answer', ['session', 'number', 'answer'], ['session', 'number']),
  /** The kept answer to a request with a key of the caller's own. */
  keyed: layout('plenum.keyed', ['key', 'answer'], ['key']),
  /** How far a source has been loaded into this partition (UN7). */
  source: layout('plenum.source', ['source', 'state', 'rows'], ['source']),
  /** What a transaction will do here and holds until its outcome is known (TX3). */
  prepared: layout('plenum.prepared', ['transaction', 'coordinator', 'until', 'seen', 'effects'], ['transaction']),
  /** The outcome of a transaction that this partition coordinates, and the partitions that do not have it yet (TX4). */
  decision: layout('plenum.decision', ['transaction', 'committed', 'partitions'], ['transaction']),
  /** What came of a worker's attempts at an entry, as it is with this stamp (UN3). */
  failure: layout(
    'plenum.failure',
    ['worker', 'entry', 'type', 'key', 'stamp', 'attempts', 'errors', 'retryAt', 'isDead'],
    ['worker', 'entry'],
  ),
  /** A message that was sent, and is not delivered (UN12). */
  message: layout('plenum.message', ['id', 'state', 'to', 'number', 'call', 'dueAt', 'errors'], ['id']),
  /** The number of the last message to a partition. */
  number: layout('plenum.number', ['to', 'last'], ['to']),
  /** Which messages of a partition have arrived here. */
  arrived: layout('plenum.arrived', ['from', 'lowest', 'done', 'voided'], ['from']),
  /** The last due time of a schedule that was noted (UN8). */
  schedule: layout('plenum.schedule', ['name', 'at'], ['name']),
  /** How far the sends of a projection have become messages (UN6). */
  projected: layout('plenum.projected', ['projection', 'index', 'offset'], ['projection']),
  /** A due time that is to be run. */
  due: layout('plenum.due', ['schedule', 'at'], ['schedule', 'at']),
} as const

function layout(name: string, fields: readonly string[], id: readonly string[]): Layout {
  return Object.freeze({ name, fields, open: false, id, route: id })
}

/** Number of the first table that belongs to the unit; the platform's own come before. */
export const firstUnitTable = Object.keys(ownLayouts).length

/** Appends the fields of a value. */
export function writeFields(writer: ByteWriter, layout: Layout, value: StoredValue): void {
  if (layout.open) return writeValue(writer, value)
  for (const field of layout.fields) writeValue(writer, value[field])
}

/** Reads what `writeFields` wrote. */
export function readFields(reader: ByteReader, layout: Layout): Record<string, unknown> {
  if (layout.open) return { ...(readValue(reader) as StoredValue) }
  const value: Record<string, unknown> = {}
  for (const field of layout.fields) {
    const item = readValue(reader)
    if (item !== undefined) value[field] = item
  }
  return value
}

/**
 * The layout of an entry type under a later unit: fields may be added, and stay where they were removed, so that what
 * was written before can still be read; another schema is another shape. UNIT_MISMATCH if the id, route, placement or
 * durability changed, or a schema of named fields began to take any. `epoch` is that of the reign that begins.
 */
export function laterLayout(before: Layout | undefined, after: Layout, epoch: number): Layout {
  if (before === undefined) return after
  for (const part of ['id', 'route'] as const) {
    if (before[part].join('\n') === after[part].join('\n')) continue
    throw new PlenumError(
      'UNIT_MISMATCH',
      `The entry type '${after.name}' has the ${part} ${after[part].join(', ')}; the journal was written with ${before[part].join(', ')}. ` +
        'Id and route of an entry type cannot change: give the new shape a new name, or use another folder.',
      { details: { type: after.name, part, journal: before[part], unit: after[part] } },
    )
  }
  if (before.open !== after.open) {
    const takes = (open: boolean): string => (open ? 'takes any fields' : 'names its fields')
    throw new PlenumError(
      'UNIT_MISMATCH',
      `The schema of the entry type '${after.name}' ${takes(after.open)}; the one in the journal ${takes(before.open)}, and the two are ` +
        'stored otherwise. Give the new shape a new name, or use another folder.',
      { details: { type: after.name, part: 'open', journal: before.open, unit: after.open } },
    )
  }
  for (const [part, option] of [
    ['everywhere', 'placement'],
    ['durable', 'durable'],
  ] as const) {
    if (before[part] === after[part]) continue
    throw new PlenumError(
      'UNIT_MISMATCH',
      `The entry type '${after.name}' declares another '${option}' than in the journal, and it cannot change: ` +
        'give the new type a new name, or use another folder.',
      { details: { type: after.name, part: option } },
    )
  }
  const added = after.fields.filter((field) => !before.fields.includes(field))
  const fields = added.length === 0 ? before.fields : [...before.fields, ...added]
  return Object.freeze({ ...after, fields, ...laterShapes(before, after, epoch) })
}

/** The shapes of a type with the one of a later unit, which is known already if the newest is the same. */
function laterShapes(before: Layout, after: Layout, epoch: number): Pick<Layout, 'shapes' | 'schema'> {
  const { shapes = [0], schema } = before
  const [own] = after.shapes ?? []
  const known = before.shapes === undefined ? {} : { shapes, schema }
  if (own === undefined || after.schema === undefined) return known
  if (shapes.at(-1) === own && schema?.hash === after.schema.hash) return known
  return { shapes: [...shapes, own], schema: { ...after.schema, epoch } }
}
