// The operations of the contract (SP1, SP2, SP6) on the naive twin, one command at a time: what it must answer, and
// which changes it must make. Written without the executor of `space/`.
import { PlenumError, type ErrorCode } from '../../kernel/index.ts'
import type { MutationSet, RowLease, Rules, SelectOptions, StoredValue, WriteOptions } from '../../space/index.ts'
import { canonicalText, sameValue } from '../checkers/canonical.ts'
import { orderOf } from './naive-order.ts'
import { itemAt, naiveMatches } from './naive-query.ts'
import { nameOf, type NaiveEntry, type NaiveSpace } from './naive-space.ts'

/** One change that a command must make; its stamp follows from its place. */
export type NaiveChange =
  | { readonly kind: 'put'; readonly table: number; readonly entry: NaiveEntry; readonly leased: 'anew' | 'kept' }
  | { readonly kind: 'remove'; readonly table: number; readonly name: string; readonly reason: 'removed' | 'taken' }
  | { readonly kind: 'lease'; readonly table: number; readonly name: string; readonly lease: RowLease | undefined }

/** How one command ended on the twin. */
export type NaiveOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }

/** The rules of an entry type, as the unit declares them; without them every value is taken as it is. */
type RulesOf = (type: string) => Rules | undefined

type Fields = Readonly<Record<string, unknown>>

/** Refuses as the platform must; only the code and the details count. */
export function naiveError(code: ErrorCode, details: Fields = {}): PlenumError {
  return new PlenumError(code, 'The naive twin expects this error.', { details })
}

export class NaiveRun {
  readonly space: NaiveSpace
  readonly changes: NaiveChange[] = []
  /** True if an order was chosen that nothing promises: then another answer may be right as well. */
  loose = false
  /** Leases that began in this run: nobody but the primary knows exactly when. */
  readonly #given = new Set<RowLease>()
  readonly #rules: RulesOf
  readonly #trusted: boolean

  /** Works on `space` itself; give it a copy. `trusted`: a handler's writes, which no schema needs to check. */
  constructor(space: NaiveSpace, rules: RulesOf, trusted: boolean) {
    this.space = space
    this.#rules = rules
    this.#trusted = trusted
  }

  get(type: string, key: Fields): StoredValue | undefined {
    return this.space.find(this.table(type), key)?.value
  }

  /** The values that match, in no promised order. */
  matching(type: string, where: Fields): readonly StoredValue[] {
    const values = this.space.entries(this.table(type)).map(({ value }) => value)
    return values.filter((value) => {
      const matches = naiveMatches(value, where)
      if (matches === undefined) throw naiveError('QUERY_INVALID')
      return matches
    })
  }

  /** The values that match, sorted and cut as asked. */
  readAll(type: string, where: Fields, options: SelectOptions): readonly StoredValue[] {
    const { offset = 0, limit = Infinity, select, orderBy } = options
    const compare = comparator(orderBy)
    const values = this.matching(type, where).toSorted(compare)
    if (values.some((value, at) => at > 0 && compare(value, values[at - 1]!) === 0)) this.loose = true
    const cut = values.slice(offset, offset + limit)
    return select === undefined ? cut : cut.map((value) => selected(value, select))
  }

  insert(type: string, given: StoredValue, options: WriteOptions): StoredValue {
    const table = this.table(type)
    const value = this.#admit(type, given)
    if (this.space.find(table, value) !== undefined) throw naiveError('ENTRY_EXISTS')
    this.#put(table, undefined, value, options, this.#rules(type)?.leaseMs)
    return value
  }

  write(type: string, kind: 'write' | 'update', given: StoredValue, options: WriteOptions): Fields {
    const table = this.table(type)
    const value = this.#admit(type, given)
    const before = this.space.find(table, value)
    if (before === undefined && kind === 'update') throw naiveError('ENTRY_MISSING')
    checkStamp(before, options)
    return this.#put(table, before, value, options, this.#rules(type)?.leaseMs)
  }

  patch(type: string, key: Fields, fields: StoredValue, options: WriteOptions): Fields {
    return this.#revise(type, key, options, (value) => {
      const given = Object.entries(fields).filter(([, item]) => item !== undefined)
      return { ...value, ...Object.fromEntries(given) }
    })
  }

  mutate(type: string, key: Fields, mutations: MutationSet, options: WriteOptions): Fields {
    return this.#revise(type, key, options, (value) => mutated(value, mutations))
  }

  remove(type: string, key: Fields, options: WriteOptions): unknown {
    const table = this.table(type)
    const before = this.space.find(table, key)
    checkStamp(before, options)
    if (before !== undefined) {
      this.#delete(table, before.value, options.reason ?? 'removed')
    }
    return options.returning === 'previous' ? before?.value : before !== undefined
  }

  /** Removes these values, which were chosen among the matching ones. */
  removeAll(type: string, values: readonly StoredValue[], reason: 'removed' | 'taken'): void {
    for (const value of values) this.#delete(this.table(type), value, reason)
  }

  renew(type: string, key: Fields, leaseMs: number | undefined): Fields {
    const table = this.table(type)
    const before = this.space.find(table, key)
    if (before === undefined) throw naiveError('ENTRY_MISSING')
    const lease = leaseMs === undefined ? undefined : { leaseMs, expiresAt: this.space.time + leaseMs }
    const { layout, entries } = this.space.tables[table]!
    const name = nameOf(layout, before.value)
    entries.set(name, { ...before, lease })
    this.changes.push({ kind: 'lease', table, name, lease })
    return {}
  }

  /** Matching values in the order in which their entries were first written. */
  inWriteOrder(type: string, where: Fields): readonly StoredValue[] {
    const table = this.table(type)
    const born = (value: StoredValue): number => this.space.find(table, value)?.born ?? 0
    return this.matching(type, where).toSorted((a, b) => born(a) - born(b))
  }

  #delete(table: number, value: StoredValue, reason: 'removed' | 'taken'): void {
    const { layout, entries } = this.space.tables[table]!
    const name = nameOf(layout, value)
    entries.delete(name)
    this.space.change += 1
    this.changes.push({ kind: 'remove', table, name, reason })
  }

  table(type: string): number {
    const number = this.space.numberOf(type)
    if (number === undefined) throw naiveError('ENTRY_TYPE_UNKNOWN')
    return number
  }

  #revise(type: string, key: Fields, options: WriteOptions, revise: (value: StoredValue) => StoredValue): Fields {
    const table = this.table(type)
    const before = this.space.find(table, key)
    if (before === undefined) throw naiveError('ENTRY_MISSING')
    checkStamp(before, options)
    const value = this.#admit(type, revise(before.value))
    const { layout } = this.space.tables[table]!
    if (layout.route.some((field) => before.value[field] !== value[field])) throw naiveError('ROUTE_IMMUTABLE')
    if (layout.id.some((field) => before.value[field] !== value[field])) throw naiveError('VALUE_INVALID')
    return this.#put(table, before, value, options, undefined)
  }

  #put(
    table: number,
    before: NaiveEntry | undefined,
    value: StoredValue,
    options: WriteOptions,
    declaredMs: number | undefined,
  ): Fields {
    const leaseMs = options.leaseMs ?? declaredMs
    const lease = leaseMs === undefined ? before?.lease : { leaseMs, expiresAt: this.space.time + leaseMs }
    if (leaseMs !== undefined && lease !== undefined) this.#given.add(lease)
    this.space.change += 1
    const entry = {
      value,
      version: (before?.version ?? 0) + 1,
      stamp: this.space.change,
      born: before?.born ?? this.space.change,
      lease,
    }
    const { layout, entries } = this.space.tables[table]!
    entries.set(nameOf(layout, value), entry)
    this.changes.push({
      kind: 'put',
      table,
      entry,
      leased: lease !== undefined && this.#given.has(lease) ? 'anew' : 'kept',
    })
    const { version, stamp } = entry
    const answer = { id: idText(layout.id.map((field) => value[field])), version, stamp }
    return options.returning === 'previous' ? { ...answer, previous: before?.value } : answer
  }

  #admit(type: string, given: StoredValue): StoredValue {
    const rules = this.#rules(type)
    // The unit's own rules may change what they are given, as a schema with defaults does; they get a copy.
    return rules === undefined ? { ...given } : rules.admit({ ...given }, this.#trusted)
  }
}

/** The order that was asked for; 0 for values that it does not tell apart, which stay in no promised order. */
function comparator(orderBy: SelectOptions['orderBy']): (a: StoredValue, b: StoredValue) => number {
  return (a, b) => {
    for (const [path, direction] of Object.entries(orderBy ?? {})) {
      const order = direction === undefined ? 0 : orderOf(itemAt(a, path), itemAt(b, path))
      if (order !== 0) return direction === 'desc' ? -order : order
    }
    return 0
  }
}

/** Only the named fields. */
export function selected(value: StoredValue, select: readonly string[]): StoredValue {
  return Object.fromEntries(select.filter((field) => value[field] !== undefined).map((field) => [field, value[field]]))
}

function checkStamp(entry: NaiveEntry | undefined, { ifStamp }: WriteOptions): void {
  if (ifStamp === undefined || ifStamp === entry?.stamp) return
  throw naiveError('STAMP_CONFLICT', { current: entry?.stamp ?? null })
}

function mutated(value: StoredValue, mutations: MutationSet): StoredValue {
  let next = value
  for (const [path, item] of Object.entries(mutations.set ?? {})) next = placed(next, path, () => item)
  for (const path of mutations.unset ?? []) next = placed(next, path, () => undefined)
  for (const [path, by] of Object.entries(mutations.add ?? {})) next = placed(next, path, (item) => sum(item, by))
  for (const [path, item] of Object.entries(mutations.push ?? {}))
    next = placed(next, path, (list) => listed(list).concat([item]))
  for (const [path, item] of Object.entries(mutations.removeFrom ?? {})) {
    next = placed(next, path, (list) => listed(list).filter((one) => !sameValue(one, item)))
  }
  for (const [path, bound] of Object.entries(mutations.min ?? {})) {
    next = placed(next, path, (item) => (item === undefined || numeric(bound) < numeric(item) ? bound : item))
  }
  for (const [path, bound] of Object.entries(mutations.max ?? {})) {
    next = placed(next, path, (item) => (item === undefined || numeric(bound) > numeric(item) ? bound : item))
  }
  return next
}

/** The value with what stands at a dotted path replaced. */
function placed(value: StoredValue, path: string, change: (item: unknown) => unknown): StoredValue {
  const [name = '', ...rest] = path.split('.')
  const { [name]: item, ...others } = value
  if (rest.length === 0) {
    const next = change(item)
    return next === undefined ? others : { ...others, [name]: next }
  }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw naiveError('VALUE_INVALID')
  return { ...others, [name]: placed({ ...item }, rest.join('.'), change) }
}

function sum(item: unknown, by: unknown): number | bigint {
  if (typeof item === 'number' && typeof by === 'number') return item + by
  if (typeof item === 'bigint' && typeof by === 'bigint') return item + by
  throw naiveError('VALUE_INVALID')
}

function listed(item: unknown): unknown[] {
  if (item === undefined) return []
  if (Array.isArray(item)) return item
  throw naiveError('VALUE_INVALID')
}

function numeric(item: unknown): number | bigint {
  if (typeof item === 'number' || typeof item === 'bigint') return item
  throw naiveError('VALUE_INVALID')
}

/** How answers name an entry: its id as text, and for an id of several fields a list of them. */
function idText(parts: readonly unknown[]): string {
  const [only] = parts
  if (parts.length === 1) return String(only)
  return `[${parts.map((part) => (typeof part === 'bigint' ? `{"bigint":"${part}"}` : canonicalText(part))).join(',')}]`
}
