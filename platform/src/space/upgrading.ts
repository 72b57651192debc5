// Earlier shapes of entries (UN10): what the journal has stays as it was put, and is read as the unit's present code
// wants it.
//
// I1 What is journaled, walked for snapshots and hashed is the stored value alone, so that whoever folds the journal,
//    with the unit's code or without it, holds the same state (A5).
// I2 A value that was brought up is derived: pure, made once, and made again after a restart. Id and route, stamp and
//    version are those of the entry.
// I3 The steps are the unit's code and are given from outside (A6); a machine without them shows what is stored.
import { isPlenumError } from '../kernel/index.ts'
import { equal } from './query.ts'
import type { NamedEffect } from './effects.ts'
import type { StoredValue } from './layout.ts'
import type { KeptChange } from './projection-commands.ts'
import type { Row } from './row.ts'
import { stampOf, stampValue } from './stamp.ts'
import type { Table } from './table.ts'

/** A field of an earlier shape that the next one does not have, and that no step has asked for. */
export interface LostField {
  /** Number of the upgrade, from 1. */
  readonly upgrade: number
  readonly field: string
  /** How many entries have something there, and the first of them. */
  readonly entries: number
  readonly first: StoredValue
}

/** Makes present values of stored ones. The copy is not frozen yet. Throws UPGRADE_REFUSED with what does not fit. */
export type BringUp = (stored: StoredValue, upgradesBehind: number) => Record<string, unknown>

/** Brings up the entries of one type in one partition, and knows what they would lose and whether the steps are pure. */
export interface EntryCheck {
  readonly run: BringUp
  lost(): readonly LostField[]
}

/** What a unit's code makes of the earlier shapes of one entry type. */
export interface EntryUpgrade {
  /** How many upgrades the unit declares. */
  readonly count: number
  /** Hash of the unit's present schema. */
  readonly schema: string
  /** The fields of the schema of each upgrade, oldest first; undefined where it takes any. */
  readonly fields: readonly (readonly string[] | undefined)[]
  readonly run: BringUp
  /** True if values with so many upgrades behind them, which were tried once, are read as they are stored. */
  keeps(upgradesBehind: number): boolean
  check(): EntryCheck
}

/** The upgrades of a unit's entry types, by name. */
export type EntryUpgrades = ReadonlyMap<string, EntryUpgrade>

/** True if the newest shape that the journal knows of a type is the one of the unit. */
export function isPresent({ layout }: Table, upgrade: EntryUpgrade): boolean {
  return layout.schema?.hash === upgrade.schema && layout.shapes?.at(-1) === upgrade.count
}

/** True for a row that may have to be read otherwise than it is stored. */
export function isEarlier(table: Table, row: Row, upgrade: EntryUpgrade): boolean {
  if (row.stored !== undefined || !isPresent(table, upgrade)) return true
  return row.shape !== table.shape && !upgrade.keeps(table.upgradesBehind(row.shape))
}

/** Has a row read as `run` makes it; what is journaled of it stays. False if that was so already, or it is the same. */
export function bringUp(table: Table, row: Row, run: BringUp): boolean {
  if (row.stored !== undefined) return false
  const stored = row.value
  const value = run(stored, table.upgradesBehind(row.shape))
  row.stored = stored
  if (equal(stored, value)) return false
  stampValue(value, row.stamp)
  table.change(row, Object.freeze(value))
  return true
}

/** Before a row of an earlier shape is changed or removed: whoever is told of that sees what readers saw. */
export function bringUpBefore(table: Table, row: Row, upgrades: EntryUpgrades): void {
  const upgrade = upgrades.get(table.layout.name)
  if (upgrade !== undefined && isPresent(table, upgrade) && isEarlier(table, row, upgrade))
    bringUp(table, row, upgrade.run)
}

/**
 * A value that was put under some shape, as the present code wants it, whatever the journal's unit is so far. What is long
 * gone may not fit: no start has tried it, and nobody can mend it any more, so it stays as it was.
 */
export function presentValue(table: Table, value: StoredValue, shape: number, upgrades: EntryUpgrades): StoredValue {
  const upgrade = upgrades.get(table.layout.name)
  const behind = table.upgradesBehind(shape)
  if (upgrade === undefined || behind > upgrade.count || upgrade.keeps(behind)) return value
  if (shape === table.shape && isPresent(table, upgrade)) return value
  const present = fitting(upgrade, value, behind)
  return present === undefined ? value : stampedAs(value, present)
}

/** A change that earlier code has kept, as the present code wants it; one that does not fit it stays as it was. */
export function presentChange({ change, behind, schema }: KeptChange, upgrades: EntryUpgrades): KeptChange['change'] {
  const upgrade = upgrades.get(change.type)
  if (upgrade === undefined || behind > upgrade.count || schema === upgrade.schema) return change
  const entry = fitting(upgrade, change.entry, behind)
  if (entry === undefined) return change
  if (change.kind !== 'changed') return { ...change, entry: Object.freeze(entry) }
  const previous = fitting(upgrade, change.previous, behind)
  return { ...change, entry: Object.freeze(entry), previous: Object.freeze(previous ?? change.previous) }
}

/** A value with its fields in the order of the layout, as whoever folds the journal has them. */
export function inLayoutOrder({ layout: { open, fields } }: Table, value: StoredValue): StoredValue {
  const names = Object.keys(value)
  if (open || isInOrder(names, fields)) return value
  const ordered: Record<string, unknown> = {}
  for (const field of fields) if (field in value) ordered[field] = value[field]
  // What a later unit's steps have made, whose layout the journal does not know yet.
  for (const name of names) ordered[name] = value[name]
  return stampedAs(value, ordered)
}

function isInOrder(names: readonly string[], fields: readonly string[]): boolean {
  let at = 0
  for (const field of fields) if (field === names[at]) at += 1
  return at === names.length
}

/** A value brought up; undefined where it does not fit. */
function fitting(upgrade: EntryUpgrade, value: StoredValue, behind: number): Record<string, unknown> | undefined {
  try {
    return upgrade.run(value, behind)
  } catch (error) {
    if (isPlenumError(error)) return undefined
    throw error
  }
}

function stampedAs(value: StoredValue, made: Record<string, unknown>): StoredValue {
  stampValue(made, stampOf(value) ?? 0)
  return Object.freeze(made)
}

/** What an effect that was tried before puts now: under an earlier shape it is brought up, else it is the same. */
export function valueNow(
  table: Table,
  { value, shape = 0 }: Extract<NamedEffect, { kind: 'put' }>,
  upgrades: EntryUpgrades,
): StoredValue {
  if (shape === table.shape) return value
  return upgrades.get(table.layout.name)?.run(value, table.upgradesBehind(shape)) ?? value
}
