import { PlenumError } from '../kernel/index.ts'
import { ByteReader, ByteWriter } from '../codec/index.ts'
import { readFields, writeFields, type Layout, type StoredValue } from './layout.ts'
import { ReusingMap } from './reusing-map.ts'
import type { Row } from './row.ts'
import { SecondaryIndex, type Visit } from './secondary-index.ts'
import { compileLayout, type LayoutCode } from './value-code.ts'

/** The fields that name an entry: its id fields and its route fields. */
export type KeyFields = Readonly<Record<string, unknown>>

/**
 * The entries of one type in one partition, found by identity (ID1). Rows are kept by id; rows that share an id and
 * differ in route, which is rare, form a chain. An id of one field is its own map key, so that looking one up builds
 * no string.
 */
export class Table {
  readonly number: number
  #layout: Layout
  /** Compiled from the layout; undefined for open ones. */
  #code: LayoutCode | undefined
  /** Journal index of the last change of this type: answers about what is not there depend on it (PA3). */
  lastIndex = 0
  #indexes: readonly SecondaryIndex[]
  #fields: ReadonlySet<string>
  /** True where entries live in the memory of the primary alone: nothing of them is journaled. */
  readonly isVolatile: boolean
  /** The shape under which entries are put: the last of the layout's (UN10). */
  shape: number
  /** The change number at which it became so, where this machine was there: values of before look otherwise. */
  shapedAt = 0
  readonly #rows = new ReusingMap<unknown, Row>()
  readonly #idField: string | undefined
  readonly #chained: boolean
  #size = 0
  // The two ids that were looked up last and their chains: a handler reads an entry and then changes it, and the second
  // look-up of a cold row costs as much as everything else that a small handler does.
  #recentId: unknown
  #recentRow: Row | undefined
  #olderId: unknown
  #olderRow: Row | undefined

  constructor(number: number, layout: Layout) {
    this.number = number
    this.#layout = layout
    this.#code = compileLayout(layout)
    this.#indexes = indexesOf(layout)
    this.isVolatile = layout.durable === false
    this.shape = newestShape(layout)
    this.#fields = new Set(layout.fields)
    this.#idField = layout.id.length === 1 ? layout.id[0] : undefined
    this.#chained = layout.route.some((field) => !layout.id.includes(field))
  }

  get layout(): Layout {
    return this.#layout
  }

  /** Gives the table the layout of a later unit, which begins after `change`; its id and route are the same (PA10). */
  relayout(layout: Layout, change: number): this {
    const before = this.#layout
    this.#layout = layout
    if (this.shape !== newestShape(layout)) this.shapedAt = change
    this.shape = newestShape(layout)
    this.#code = compileLayout(layout)
    this.#fields = new Set(layout.fields)
    if (JSON.stringify(before.indexes) !== JSON.stringify(layout.indexes)) {
      this.#indexes = indexesOf(layout)
      for (const row of this.rows()) for (const index of this.#indexes) index.add(row)
    }
    return this
  }

  /** How many upgrades lie behind what was put under a shape (UN10). */
  upgradesBehind(shape: number): number {
    return this.#layout.shapes?.[shape] ?? 0
  }

  /** True if the layout names this field. */
  hasField(name: string): boolean {
    return this.#fields.has(name)
  }

  get indexes(): readonly SecondaryIndex[] {
    return this.#indexes
  }

  get size(): number {
    return this.#size
  }

  /** The entry with this id and route. */
  find(key: KeyFields): Row | undefined {
    let row = this.#first(this.idOf(key))
    if (!this.#chained) return row
    while (row !== undefined && !this.sameRoute(row.value, key)) row = row.next
    return row
  }

  /** Visits all entries with this id, whatever their route, until `visit` returns false; false if it did. */
  visitId(key: KeyFields, visit: Visit): boolean {
    for (let row = this.#first(this.idOf(key)); row !== undefined; row = row.next) if (!visit(row)) return false
    return true
  }

  add(row: Row): void {
    const id = this.idOf(row.value)
    this.#forgetRecent()
    row.next = this.#chained ? this.#rows.get(id) : undefined
    this.#rows.set(id, row)
    this.#size += 1
    for (const index of this.#indexes) index.add(row)
  }

  /** Gives a row another value of the same entry. */
  change(row: Row, value: StoredValue): void {
    const before = row.value
    row.value = value
    if (this.#indexes.length > 0) for (const index of this.#indexes) index.change(row, before)
  }

  delete(row: Row): void {
    const id = this.idOf(row.value)
    const first = this.#rows.get(id)
    this.#forgetRecent()
    for (const index of this.#indexes) index.delete(row, row.value)
    if (first === row) {
      if (row.next === undefined) this.#rows.delete(id)
      else this.#rows.set(id, row.next)
    } else {
      for (let before = first; before !== undefined; before = before.next) {
        if (before.next === row) before.next = row.next
      }
    }
    // The row keeps its `next`: a walk that stands on it must find its way on.
    this.#size -= 1
  }

  /** Visits every row, in no promised order, until `visit` returns false; false if it did. */
  visit(visit: Visit): boolean {
    for (const first of this.#rows.values()) {
      for (let row = first; row !== undefined; row = row.next) if (!visit(row)) return false
    }
    return true
  }

  /** Every row, in no promised order. */
  *rows(): Generator<Row> {
    for (const first of this.#rows.values()) {
      for (let row = first; row !== undefined; row = row.next) yield row
    }
  }

  /** The first row of an id. */
  #first(id: unknown): Row | undefined {
    if (id === this.#recentId && this.#recentRow !== undefined) return this.#recentRow
    const row = id === this.#olderId && this.#olderRow !== undefined ? this.#olderRow : this.#rows.get(id)
    this.#olderId = this.#recentId
    this.#olderRow = this.#recentRow
    this.#recentId = id
    this.#recentRow = row
    return row
  }

  #forgetRecent(): void {
    this.#recentRow = undefined
    this.#olderRow = undefined
  }

  /** Appends the fields of a value. */
  writeFields(writer: ByteWriter, value: StoredValue): void {
    if (this.#code === undefined) writeFields(writer, this.#layout, value)
    else this.#code.write(writer, value)
  }

  /** Reads what `writeFields` wrote. */
  readFields(reader: ByteReader): Record<string, unknown> {
    return this.#code === undefined ? readFields(reader, this.#layout) : this.#code.read(reader)
  }

  /** A copy of a stored value of this type, made as its values are. */
  copyOf(value: StoredValue): Record<string, unknown> {
    const writer = new ByteWriter(256)
    this.writeFields(writer, value)
    return this.readFields(new ByteReader(writer.written()))
  }

  /** What the map is keyed by: the id itself, or for an id of several fields a text that is unique for them. */
  idOf(key: KeyFields): unknown {
    if (this.#idField !== undefined) {
      const id = this.#code?.idOf === undefined ? key[this.#idField] : this.#code.idOf(key)
      if (id === undefined) throw this.#incomplete(this.#idField)
      return id
    }
    return JSON.stringify(
      this.layout.id.map((field) => {
        const part = key[field]
        if (part === undefined) throw this.#incomplete(field)
        return typeof part === 'bigint' ? { bigint: part.toString() } : part
      }),
    )
  }

  sameRoute(value: StoredValue, key: KeyFields): boolean {
    if (this.#code?.isSameRoute(value, key) === true) return true
    for (const field of this.layout.route) {
      const part = key[field]
      if (part === undefined) throw this.#incomplete(field)
      if (value[field] !== part) return false
    }
    return true
  }

  /** True if the value has this route; false for types whose route has several fields. */
  isOnRoute(value: StoredValue, route: unknown): boolean {
    if (this.#code?.routeOf !== undefined) return this.#code.routeOf(value) === route
    const [field, another] = this.#layout.route
    return field !== undefined && another === undefined && value[field] === route
  }

  /** True if both are the same entry, maybe changed. */
  isSameEntry(one: StoredValue, other: StoredValue): boolean {
    if (this.#code !== undefined) return this.#code.isSameEntry(one, other)
    const { id, route } = this.#layout
    return id.every((field) => one[field] === other[field]) && route.every((field) => one[field] === other[field])
  }

  #incomplete(field: string): PlenumError {
    return new PlenumError(
      'KEY_INCOMPLETE',
      `A key of '${this.layout.name}' names ${[...new Set([...this.layout.id, ...this.layout.route])].join(' and ')}; '${field}' is missing.`,
      { details: { type: this.layout.name, field } },
    )
  }
}

function newestShape({ shapes }: Layout): number {
  return shapes === undefined ? 0 : shapes.length - 1
}

function indexesOf({ indexes = [] }: Layout): readonly SecondaryIndex[] {
  return indexes.map((paths) => new SecondaryIndex(paths))
}

/** The error for an entry type that is none of these tables'. */
export function unknownType(type: string, tables: readonly Table[]): PlenumError {
  const known = tables.map(({ layout }) => layout.name)
  const message = `There is no entry type '${type}'. The unit has: ${known.join(', ')}.`
  return new PlenumError('ENTRY_TYPE_UNKNOWN', message, { details: { type, known } })
}
