// Executes data commands on a machine: the operations of the contract (SP1, SP2, SP6, SP8), one place for plain
// requests and for handlers.
//
// I1 Everything that can fail is checked before the first change, so that one entry of a batch can fail alone (SP10).
// I2 `dependency` grows to the highest index that the reads depend on: an entry's own, or its type's last for what is
//    not there and for every query (PA3).
import { ByteWriter } from '../codec/index.ts'
import { PlenumError, type Limits } from '../kernel/index.ts'
import type { AggregatePart, AggregateRequest } from './aggregate.ts'
import type { StoredValue } from './layout.ts'
import type { Machine } from './machine.ts'
import { mutate } from './mutations.ts'
import type { ReadCommand, WriteCommand, WriteOptions } from './requests.ts'
import type { Row } from './row.ts'
import type { PathCheck } from './query.ts'
import { Reader, valuesOf, type Explanation } from './reader.ts'
import { noOptions, type SelectOptions } from './select.ts'
import type { Stamp } from './stamp.ts'
import type { KeyFields, Table } from './table.ts'

/**
 * Turns what a caller wrote into what is stored: copied, its fields in the layout's order, checked against the schema
 * unless the caller is `trusted`, that is co-located code with types.
 */
export type Admit = (value: StoredValue, trusted: boolean) => StoredValue

/** What the executor knows about an entry type beside its layout. */
export interface Rules {
  readonly admit: Admit
  /**
   * What a trusted caller's change of some fields makes of a stored value; its result is undefined where the fields
   * must be merged first. Not there if all fields must be checked together.
   */
  readonly patched?: ((value: StoredValue, fields: StoredValue) => StoredValue | undefined) | undefined
  /** Says why no value of the type has anything at a path; for queries. */
  readonly checkPath?: PathCheck | undefined
  /** The lease of entries that are written without one, milliseconds. */
  readonly leaseMs: number | undefined
}

/** Is told what is looked for before it is answered; may throw, and then nothing is. */
export interface ReadObserver {
  /** True if it has stopped the command at hand. */
  readonly hasStopped: boolean
  entry(table: Table, key: KeyFields, row: Row | undefined): void
  query(table: Table, where: StoredValue): void
}

/** What a write returns (SP1). */
export interface WrittenEntry {
  readonly id: string
  readonly version: number
  readonly stamp: Stamp
  readonly previous?: StoredValue | undefined
}

const takeOne: SelectOptions = Object.freeze({ limit: 1 })

export class Executor {
  dependency = 0
  /** Undefined unless there are locks, or a transaction reads. */
  observer: ReadObserver | undefined
  readonly #machine: Machine
  readonly #limits: Limits
  readonly #reader: Reader
  readonly #rulesFor: (type: string) => Rules
  /** By number of the table. */
  readonly #rules: Rules[] = []
  /** True while a handler runs. */
  #trusted = false

  constructor(machine: Machine, limits: Limits, rules: (type: string) => Rules) {
    this.#machine = machine
    this.#limits = limits
    this.#rulesFor = rules
    this.#reader = new Reader({
      limits,
      checkOf: (table) => this.#rulesOf(table).checkPath,
      onQuery: (table, where) => {
        this.#dependOn(table.lastIndex)
        this.observer?.query(table, where)
      },
    })
  }

  /** Trusts the types of what is written from now on, or no longer. */
  trust(trusted: boolean): void {
    this.#trusted = trusted
  }

  execute(command: ReadCommand | WriteCommand): unknown {
    switch (command.kind) {
      case 'get':
        return this.get(this.#machine.unitTable(command.type), command.key)
      case 'read':
        return this.read(this.#machine.unitTable(command.type), command.where, command.options)
      case 'readAll':
        return this.readAll(this.#machine.unitTable(command.type), command.where, command.options)
      case 'count':
        return this.count(this.#machine.unitTable(command.type), command.where)
      case 'aggregate':
        return this.aggregate(this.#machine.unitTable(command.type), command.where, command.request)
      case 'explain':
        return this.explain(this.#machine.unitTable(command.type), command.where, command.options)
      case 'take':
        return this.take(this.#machine.unitTable(command.type), command.where, command.options)
      case 'takeAll':
        return this.takeAll(this.#machine.unitTable(command.type), command.where, command.options)
      case 'clear':
        return this.clear(this.#machine.unitTable(command.type), command.where, command.options)
      case 'renew':
        return this.renew(this.#machine.unitTable(command.type), command.key, command.leaseMs)
      case 'remove':
        return this.remove(this.#machine.unitTable(command.type), command.key, command.options)
      case 'insert':
        return this.insert(this.#machine.unitTable(command.type), command.value, command.options)
      case 'write':
      case 'update':
        return this.write(this.#machine.unitTable(command.type), command.kind, command.value, command.options)
      case 'patch': {
        const table = this.#machine.unitTable(command.type)
        return this.patch(table, command.key, command.fields, command.options)
      }
      case 'change': {
        const { mutations } = command
        return this.revise(this.#machine.unitTable(command.type), command.key, command.options, (value) =>
          mutate(value, mutations),
        )
      }
    }
  }

  get(table: Table, key: KeyFields): StoredValue | undefined {
    const row = this.find(table, key)
    return row?.value
  }

  read(table: Table, where: StoredValue, options: SelectOptions): StoredValue | undefined {
    return this.#reader.read(table, where, options)
  }

  readAll(table: Table, where: StoredValue, options: SelectOptions): readonly StoredValue[] {
    return this.#reader.readAll(table, where, options)
  }

  count(table: Table, where: StoredValue): number {
    return this.#reader.count(table, where)
  }

  aggregate(table: Table, where: StoredValue, request: AggregateRequest): readonly AggregatePart[] {
    return this.#reader.aggregate(table, where, request)
  }

  explain(table: Table, where: StoredValue, options: SelectOptions): Explanation {
    return this.#reader.explain(table, where, options)
  }

  /** Removes one entry that matches and returns it; of a type with FIFO groups the one that was written first (SP4, SP9). */
  take(table: Table, where: StoredValue, options: SelectOptions): StoredValue | undefined {
    return this.takeAll(table, where, options === noOptions ? takeOne : { ...options, limit: 1 })[0]
  }

  takeAll(table: Table, where: StoredValue, options: SelectOptions): readonly StoredValue[] {
    const fifo = options.fifo ?? (table.layout.fifo !== undefined && options.orderBy === undefined)
    const rows = this.#reader.rows(table, where, fifo === options.fifo || !fifo ? options : { ...options, fifo })
    for (const row of rows) this.#machine.remove(table, row, 'taken')
    return valuesOf(rows, options.select)
  }

  /** Removes what matches, `limit` entries at most, and returns how many it were (SP7). */
  clear(table: Table, where: StoredValue, options: SelectOptions): number {
    const rows = this.#reader.rows(table, where, options)
    for (const row of rows) this.#machine.remove(table, row, 'removed')
    return rows.length
  }

  /** Gives an entry a lease of so many milliseconds from now, or for ever; its value, version and stamp stay (SP8). */
  renew(table: Table, key: KeyFields, leaseMs: number | undefined): { readonly expiresAt: number | undefined } {
    const row = this.find(table, key)
    if (row === undefined) throw missing(table, key)
    this.#machine.renew(table, row, checkedLease(leaseMs, this.#limits))
    return { expiresAt: row.lease?.expiresAt }
  }

  insert(table: Table, given: StoredValue, options: WriteOptions): StoredValue {
    const rules = this.#rulesOf(table)
    const value = rules.admit(given, this.#trusted)
    if (this.find(table, value) !== undefined) {
      throw new PlenumError(
        'ENTRY_EXISTS',
        `An entry of type '${table.layout.name}' with ${keyText(table, value)} exists already.`,
        {
          details: { type: table.layout.name, key: keyOf(table, value) },
        },
      )
    }
    return this.#machine.put(table, undefined, value, this.#leaseOf(options, rules)).value
  }

  write(table: Table, kind: 'write' | 'update', given: StoredValue, options: WriteOptions): WrittenEntry {
    const rules = this.#rulesOf(table)
    const value = rules.admit(given, this.#trusted)
    const row = this.find(table, value)
    if (row === undefined && kind === 'update') throw missing(table, value)
    checkStamp(table, row, options, value)
    const previous = row?.value
    return written(table, this.#machine.put(table, row, value, this.#leaseOf(options, rules)), options, previous)
  }

  /** Changes the named fields of an entry that is there. */
  patch(table: Table, key: KeyFields, fields: StoredValue, options: WriteOptions): WrittenEntry {
    const { admit, patched } = this.#rulesOf(table)
    const row = this.#present(table, key, options)
    const value = this.#trusted ? patched?.(row.value, fields) : undefined
    return this.#replace(table, row, value ?? admit(merge(table, row.value, fields), this.#trusted), options)
  }

  /** Changes an entry that is there into what `revise` makes of its value. */
  revise(
    table: Table,
    key: KeyFields,
    options: WriteOptions,
    revise: (value: StoredValue) => StoredValue,
  ): WrittenEntry {
    const { admit } = this.#rulesOf(table)
    const row = this.#present(table, key, options)
    return this.#replace(table, row, admit(revise(row.value), this.#trusted), options)
  }

  /** The entry that is to be changed, with the stamp that the caller expects. */
  #present(table: Table, key: KeyFields, options: WriteOptions): Row {
    const row = this.find(table, key)
    if (row === undefined) throw missing(table, key)
    checkStamp(table, row, options, key)
    return row
  }

  #replace(table: Table, row: Row, value: StoredValue, options: WriteOptions): WrittenEntry {
    const previous = row.value
    if (!table.isSameEntry(previous, value)) checkIdentity(table, previous, value)
    const leaseMs = checkedLease(options.leaseMs, this.#limits)
    const lease = leaseMs === undefined ? undefined : { leaseMs }
    return written(table, this.#machine.put(table, row, value, lease), options, previous)
  }

  remove(table: Table, key: KeyFields, options: WriteOptions): boolean | StoredValue | undefined {
    const row = this.find(table, key)
    checkStamp(table, row, options, key)
    const previous = row?.value
    if (row !== undefined) this.#machine.remove(table, row, options.reason ?? 'removed')
    return options.returning === 'previous' ? previous : row !== undefined
  }

  /** The entry with this key, noting what the answer depends on. */
  find(table: Table, key: KeyFields): Row | undefined {
    const row = table.find(key)
    this.#dependOn(row === undefined ? table.lastIndex : row.index)
    if (this.observer !== undefined) this.observer.entry(table, key, row)
    return row
  }

  #leaseOf(options: WriteOptions, rules: Rules): { readonly leaseMs: number } | undefined {
    const leaseMs = checkedLease(options.leaseMs ?? rules.leaseMs, this.#limits)
    return leaseMs === undefined ? undefined : { leaseMs }
  }

  #rulesOf(table: Table): Rules {
    return (this.#rules[table.number] ??= this.#rulesFor(table.layout.name))
  }

  #dependOn(index: number): void {
    if (index > this.dependency) this.dependency = index
  }
}

/** The fields that name an entry, out of its value. */
export function keyOf(table: Table, value: StoredValue): KeyFields {
  const key: Record<string, unknown> = {}
  for (const field of [...table.layout.id, ...table.layout.route]) key[field] = value[field]
  return key
}

/** The changed fields over the value, in the layout's order; absent keeps, null is null (SP1). */
export function merge(table: Table, value: StoredValue, fields: StoredValue): StoredValue {
  const merged: Record<string, unknown> = {}
  for (const field of table.layout.fields) {
    const item = fields[field] === undefined ? value[field] : fields[field]
    if (item !== undefined) merged[field] = item
  }
  for (const field of Object.keys(fields))
    if (!(field in merged) && fields[field] !== undefined) merged[field] = fields[field]
  if (table.layout.open) for (const field of Object.keys(value)) if (!(field in merged)) merged[field] = value[field]
  return merged
}

/** Bytes of a row beside its value, at most: kind, table, version and lease. */
const besideValueMax = 64

/**
 * What a patch from outside is answered, but for version and stamp: the entry's id as text. Throws what the machine would
 * for a value that cannot be; undefined where only the machine can say whether it is too large.
 */
export function foreseePatch(
  table: Table,
  { admit, valueBytesMax }: { readonly admit: Admit; readonly valueBytesMax: number },
  value: StoredValue,
  fields: StoredValue,
): string | undefined {
  const patched = admit(merge(table, value, fields), false)
  if (!table.isSameEntry(value, patched)) checkIdentity(table, value, patched)
  const writer = new ByteWriter(256)
  table.writeFields(writer, patched)
  return writer.at > valueBytesMax - besideValueMax ? undefined : idText(table, value)
}

function checkedLease(leaseMs: number | undefined, { entryLeaseMsMax }: Limits): number | undefined {
  if (leaseMs === undefined || (leaseMs > 0 && leaseMs <= entryLeaseMsMax)) return leaseMs
  throw new PlenumError(
    'LIMIT_EXCEEDED',
    `A lease is longer than nothing and ${entryLeaseMsMax} ms at most; this one has ${leaseMs} ms.`,
    { details: { limit: 'entryLeaseMsMax', value: entryLeaseMsMax, found: leaseMs } },
  )
}

function written(table: Table, row: Row, options: WriteOptions, previous: StoredValue | undefined): WrittenEntry {
  const id = idText(table, row.value)
  const result = { id, version: row.version, stamp: row.stamp as Stamp }
  return options.returning === 'previous' ? { ...result, previous } : result
}

function idText(table: Table, value: StoredValue): string {
  const id = table.idOf(value)
  return typeof id === 'string' ? id : String(id)
}

function checkStamp(table: Table, row: Row | undefined, options: WriteOptions, key: KeyFields): void {
  if (options.ifStamp === undefined || row?.stamp === options.ifStamp) return
  throw new PlenumError(
    'STAMP_CONFLICT',
    `The entry of type '${table.layout.name}' with ${keyText(table, key)} was changed since stamp ${options.ifStamp}: ` +
      `${row === undefined ? 'it is gone' : `its stamp is ${row.stamp}`}. Read it again and decide anew.`,
    { details: { type: table.layout.name, expected: options.ifStamp, current: row?.stamp ?? null } },
  )
}

function checkIdentity(table: Table, before: StoredValue, after: StoredValue): void {
  const { name, id, route } = table.layout
  for (const field of route) {
    if (before[field] !== after[field]) {
      throw new PlenumError(
        'ROUTE_IMMUTABLE',
        `'${field}' is the route of '${name}' and cannot change; remove the entry and insert it anew.`,
        {
          details: { type: name, field },
        },
      )
    }
  }
  for (const field of id) {
    if (before[field] !== after[field]) {
      throw new PlenumError('VALUE_INVALID', `'${field}' names the entry of type '${name}' and cannot change.`, {
        details: { type: name, field },
      })
    }
  }
}

function missing(table: Table, key: KeyFields): PlenumError {
  return new PlenumError(
    'ENTRY_MISSING',
    `There is no entry of type '${table.layout.name}' with ${keyText(table, key)}.`,
    {
      details: { type: table.layout.name, key: keyOf(table, key) },
    },
  )
}

function keyText(table: Table, key: KeyFields): string {
  return Object.entries(keyOf(table, key))
    .map(([field, value]) => `${field} ${typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)}`)
    .join(' and ')
}
