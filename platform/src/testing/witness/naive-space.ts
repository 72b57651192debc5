// The naive twin of a partition's state: plain maps that follow the effects of accepted records, one after the other.
//
// Written without the machine of `space/`: no rows in place, no undo, no lease queue, no encoding. It shares only the
// words for effects and layouts, which are what the journal says.
import {
  ownLayouts,
  type Effect,
  type EntryUpgrade,
  type EntryUpgrades,
  type Layout,
  type RowLease,
  type StoredValue,
} from '../../space/index.ts'
import { canonicalText } from '../checkers/canonical.ts'

/** One entry as the journal says it is. */
export interface NaiveEntry {
  readonly value: StoredValue
  readonly version: number
  readonly stamp: number
  /** The change number when the entry was first written. */
  readonly born: number
  readonly lease: RowLease | undefined
}

interface NaiveTable {
  readonly layout: Layout
  readonly entries: Map<string, NaiveEntry>
}

type Fields = Readonly<Record<string, unknown>>

export class NaiveSpace {
  tables: readonly NaiveTable[]
  change = 0
  /** Partition time, milliseconds. */
  time = 0

  constructor() {
    this.tables = Object.values(ownLayouts).map(emptyTable)
  }

  /**
   * Takes over the entry types of an UPGRADE record: known ones keep their entries. All entries of a type that has
   * another schema are rewritten by `upgrades`, as nobody else does it.
   */
  declare(layouts: readonly Layout[], upgrades?: EntryUpgrades): void {
    const known = new Map(this.tables.map((table) => [table.layout.name, table]))
    const added = layouts.filter(({ name }) => !known.has(name)).map(emptyTable)
    const later = new Map(layouts.map((layout) => [layout.name, layout]))
    const kept = this.tables.map((table) => {
      const layout = later.get(table.layout.name) ?? table.layout
      return { layout, entries: rewritten(table, layout, upgrades?.get(layout.name)) }
    })
    this.tables = [...kept, ...added]
  }

  /** Number of the table of an entry type; undefined if there is none. */
  numberOf(type: string): number | undefined {
    const number = this.tables.findIndex(({ layout }) => layout.name === type)
    return number === -1 ? undefined : number
  }

  /** The entry with this id and route. */
  find(table: number, key: Fields): NaiveEntry | undefined {
    return this.tables[table]?.entries.get(nameOf(this.tables[table].layout, key))
  }

  /** All entries of a table. */
  entries(table: number): readonly NaiveEntry[] {
    return [...(this.tables[table]?.entries.values() ?? [])]
  }

  /** Starts the leases that somebody could have renewed anew in full, as an OPEN record does (TI3). */
  renewLeases(): void {
    for (const { entries } of this.tables) {
      for (const [name, entry] of entries) {
        const leaseMs = entry.lease?.leaseMs ?? 0
        if (leaseMs > 0) entries.set(name, { ...entry, lease: { leaseMs, expiresAt: this.time + leaseMs } })
      }
    }
  }

  /** Makes one effect of a record at `time`; returns what is wrong with it, if anything is. */
  apply(effect: Effect, time: number): string | undefined {
    if (effect.kind === 'snapshot-begins') return undefined
    const table = this.tables[effect.table]
    if (table === undefined) return `it names table ${effect.table}, which no UPGRADE declared`
    const name = nameOf(table.layout, effect.kind === 'put' ? effect.value : effect.key)
    const before = table.entries.get(name)
    if (effect.kind === 'lease') {
      if (before === undefined) return `it renews the lease of ${name}, which is not there`
      table.entries.set(name, { ...before, lease: effect.lease })
      return undefined
    }
    this.change += 1
    if (effect.kind === 'put') {
      const { value, version, lease } = effect
      table.entries.set(name, { value, version, stamp: this.change, born: before?.born ?? this.change, lease })
      const expected = (before?.version ?? 0) + 1
      return version === expected ? undefined : `it puts version ${version} of ${name}, where ${expected} comes next`
    }
    table.entries.delete(name)
    if (before === undefined) return `it removes ${name}, which is not there`
    if (effect.reason !== 'expired') return undefined
    if (before.lease === undefined) return `${name} expires and has no lease`
    const { expiresAt } = before.lease
    return expiresAt <= time ? undefined : `${name} expires at ${time}, its lease ends at ${expiresAt}`
  }

  /** A copy that can be changed without changing this one. */
  copy(): NaiveSpace {
    const copy = new NaiveSpace()
    copy.tables = this.tables.map(({ layout, entries }) => ({ layout, entries: new Map(entries) }))
    copy.change = this.change
    copy.time = this.time
    return copy
  }
}

/** One text for what names an entry: its type, its id and its route. */
export function nameOf(layout: Layout, key: Fields): string {
  const fields = [...new Set([...layout.id, ...layout.route])]
  return `${layout.name} ${canonicalText(Object.fromEntries(fields.map((field) => [field, key[field]])))}`
}

function rewritten(
  { layout, entries }: NaiveTable,
  { shapes = [0] }: Layout,
  upgrade: EntryUpgrade | undefined,
): NaiveTable['entries'] {
  const before = layout.shapes ?? [0]
  if (upgrade === undefined || shapes.length === before.length) return entries
  const run = (value: StoredValue): StoredValue => upgrade.run(value, before.at(-1) ?? 0)
  return new Map([...entries].map(([name, entry]) => [name, { ...entry, value: run(entry.value) }]))
}

function emptyTable(layout: Layout): NaiveTable {
  return { layout, entries: new Map() }
}
