// Has all entries of a partition read as the unit's present code wants them, before that code says or writes anything
// (UN10).
//
// I1 Nothing is appended or acked here: what does not fit refuses the start, and the code of before can go on.
// I2 It runs in slices. Whoever stops it half-way has lost nothing: what was brought up is derived, and the next start
//    does it again.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import { ByteWriter, writeValue } from '../codec/index.ts'
import type { Runtime } from '../runtime/index.ts'
import {
  bringUp,
  isEarlier,
  isPresent,
  laterLayout,
  ownLayouts,
  type EntryCheck,
  type EntryUpgrade,
  type Layout,
  type StoredValue,
  type Table,
} from '../space/index.ts'
import type { Logic } from './logic.ts'
import type { PreparedRow } from './prepared.ts'
import type { Replica } from './replica.ts'

/** What the entries of one type came to. */
export interface UpgradeReport {
  readonly type: string
  readonly entries: number
  /** Entries that were put under an earlier schema than the unit's. */
  readonly earlier: number
  /** Those of them that are read with another value than the one that is stored. */
  changed: number
  /** Those of them that do not fit. */
  refused: number
}

export interface UpgradeOptions {
  /** Number of the partition. */
  readonly number: number
  readonly runtime: Runtime
  readonly limits: Limits
  /** Told now and then how many entries are done. */
  readonly onProgress?: ((entries: number, entriesTotal: number) => void) | undefined
  /** Told of each entry that does not fit; without it the first one ends the run. */
  readonly onRefused?: ((error: PlenumError) => void) | undefined
  /** What earlier runs over the same replica have found, by type: an entry is tried once, and what it loses stays lost. */
  readonly checks?: EntryChecks | undefined
}

export type EntryChecks = Map<string, EntryCheck>

/** What is done for the entries of one type. */
interface Step {
  readonly table: Table
  readonly upgrade: EntryUpgrade
  readonly check: EntryCheck
  readonly report: UpgradeReport
}

/** Entries between two looks at the clock, and between two reports of progress. */
const lookEvery = 64
const reportEvery = 4_096

/**
 * Brings up every entry of an earlier shape, and tries what transactions are about to put. UNIT_MISMATCH if the unit's
 * types cannot follow the journal's at all, UPGRADE_REFUSED with the first entry that does not fit.
 */
export async function upgradeEntries(
  replica: Replica,
  logic: Pick<Logic, 'layouts' | 'upgrades'>,
  options: UpgradeOptions,
): Promise<readonly UpgradeReport[]> {
  const steps = stepsOf(replica, logic, options)
  const refuse = (step: Step, error: unknown): void => {
    const known = located(error, options.number)
    step.report.refused += 1
    if (options.onRefused === undefined) throw known
    options.onRefused(known)
  }
  await bringUpRows(steps, options, refuse)
  tryPrepared(replica, steps, options.limits, refuse)
  for (const step of steps) {
    for (const { field, upgrade, entries, first } of step.check.lost())
      refuse(step, lost(step.table, field, upgrade, entries, first))
  }
  return steps.map(({ report }) => report)
}

/** The types whose entries may be of an earlier shape. UNIT_MISMATCH where a type cannot follow. */
function stepsOf(
  replica: Replica,
  { layouts, upgrades }: Pick<Logic, 'layouts' | 'upgrades'>,
  { limits, checks = new Map() }: UpgradeOptions,
): readonly Step[] {
  const known = new Map(replica.layouts.map((layout) => [layout.name, layout]))
  return layouts.flatMap((layout) => {
    const before = known.get(layout.name)
    const upgrade = upgrades?.get(layout.name)
    if (before === undefined || upgrade === undefined || layout.durable === false) return []
    requireFollowing(before, laterLayout(before, layout, replica.fold.head.epoch), upgrade, limits)
    const table = replica.machine.table(layout.name)
    const earlier = countEarlier(table, upgrade)
    const report = { type: layout.name, entries: table.size, earlier, changed: 0, refused: 0 }
    const check = checks.get(layout.name) ?? upgrade.check()
    checks.set(layout.name, check)
    return [{ table, upgrade, check, report }]
  })
}

function countEarlier(table: Table, upgrade: EntryUpgrade): number {
  let count = 0
  table.visit((row) => {
    if (isEarlier(table, row, upgrade)) count += 1
    return true
  })
  return count
}

async function bringUpRows(
  steps: readonly Step[],
  { runtime, limits, onProgress }: UpgradeOptions,
  refuse: (step: Step, error: unknown) => void,
): Promise<void> {
  const total = steps.reduce((sum, { report }) => sum + report.earlier, 0)
  let done = 0
  let until = runtime.clock.monotonic() + limits.snapshotSliceMs
  for (const step of steps) {
    if (step.report.earlier === 0) continue
    const { table, upgrade, check, report } = step
    for (const row of table.rows()) {
      if (!isEarlier(table, row, upgrade)) continue
      try {
        if (bringUp(table, row, check.run)) report.changed += 1
      } catch (error) {
        refuse(step, error)
      }
      done += 1
      if (done % reportEvery === 0) onProgress?.(done, total)
      if (done % lookEvery !== 0 || (done % reportEvery !== 0 && runtime.clock.monotonic() < until)) continue
      await new Promise<void>((resolve) => runtime.timers.soon(resolve))
      until = runtime.clock.monotonic() + limits.snapshotSliceMs
    }
  }
  if (total > 0) onProgress?.(done, total)
}

/** What transactions that are prepared will put, once they are committed, has to fit as well: nobody is asked then. */
function tryPrepared(
  { machine }: Replica,
  steps: readonly Step[],
  { valueBytesMax }: Limits,
  refuse: (step: Step, error: unknown) => void,
): void {
  const byType = new Map(steps.map((step) => [step.table.layout.name, step]))
  for (const { value } of machine.table(ownLayouts.prepared.name).rows()) {
    const { effects, transaction } = value as unknown as PreparedRow
    for (const effect of effects) {
      const step = byType.get(effect.type)
      if (step === undefined || effect.kind !== 'put') continue
      const { table, upgrade, check } = step
      if (isPresent(table, upgrade) && (effect.shape ?? 0) === table.shape) continue
      try {
        const later = check.run(effect.value, table.upgradesBehind(effect.shape ?? 0))
        const writer = new ByteWriter(256)
        writeValue(writer, later)
        writer.since(0, valueBytesMax, `An entry of type '${effect.type}'`)
      } catch (error) {
        refuse(step, ofTransaction(error, transaction))
      }
    }
  }
}

/** UNIT_MISMATCH unless the unit knows the way from the newest shape of the journal to its own. */
function requireFollowing(before: Layout, later: Layout, upgrade: EntryUpgrade, { shapesMax }: Limits): void {
  const { name, shapes = [0], schema } = before
  const behind = shapes.at(-1) ?? 0
  if (behind > upgrade.count) {
    throw new PlenumError(
      'UNIT_MISMATCH',
      `The entries of type '${name}' have ${behind === 1 ? 'an upgrade' : `${behind} upgrades`} behind them in the journal, and the unit declares ${upgrade.count === 0 ? 'none' : upgrade.count}. ` +
        'Earlier code cannot read what later code wrote, and an upgrade stays declared for good: start the later code, or put back what was left out.',
      { details: { type: name, part: 'upgrades', journal: behind, unit: upgrade.count } },
    )
  }
  const fields = upgrade.fields[behind]
  const missing = fields === undefined ? [] : (schema?.fields ?? []).filter((field) => !fields.includes(field))
  if (missing.length > 0) {
    throw new PlenumError(
      'UNIT_MISMATCH',
      `Upgrade ${behind + 1} of the entry type '${name}' begins at a schema without ${missing.join(', ')}, which the journal's entries may have. ` +
        'Give `upgrade` the schema that the running code has, unchanged; or start first the version whose schema it is.',
      { details: { type: name, part: 'upgrade', upgrade: behind + 1, missing } },
    )
  }
  if ((later.shapes?.length ?? 1) <= shapesMax) return
  throw new PlenumError(
    'LIMIT_EXCEEDED',
    `The entry type '${name}' has had ${shapes.length} schemas in this journal, and may have ${shapesMax}. Give the new shape a new name.`,
    { details: { limit: 'shapesMax', value: shapesMax, found: shapes.length + 1, type: name } },
  )
}

function lost(table: Table, field: string, upgrade: number, entries: number, first: StoredValue): PlenumError {
  const { name, id, route } = table.layout
  const key = Object.fromEntries([...id, ...route].map((part) => [part, first[part]]))
  const those = entries === 1 ? 'an entry has' : `${entries} entries have`
  const why =
    `upgrade ${upgrade} loses '${field}', which ${those}: the next schema does not have it, and the step never asks for it. ` +
    `Have the step read it, or say { drops: ['${field}'] }`
  return new PlenumError(
    'UPGRADE_REFUSED',
    `Entries of type '${name}' cannot go on with this unit: ${why}. Nothing was changed: the code of before can go on.`,
    { details: { type: name, upgrade, field, entries, key, reason: 'LOST', why } },
  )
}

/** An error with the partition in it. What says nothing of an entry is a defect, and stays one. */
function located(error: unknown, partition: number): PlenumError {
  if (!isPlenumError(error) || error.code === 'INVARIANT_BROKEN') throw error
  const { message, details, cause } = error
  return new PlenumError('UPGRADE_REFUSED', message, { details: { ...details, partition }, cause })
}

function ofTransaction(error: unknown, transaction: string): unknown {
  if (!isPlenumError(error)) return error
  const message = `The transaction ${transaction} is prepared, and what it will put does not fit. ${error.message}`
  return new PlenumError('UPGRADE_REFUSED', message, { details: { ...error.details, transaction }, cause: error })
}
