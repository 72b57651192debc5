import type { Effect, RowLease } from '../../space/index.ts'
import { sameValue } from '../checkers/canonical.ts'
import type { NaiveChange } from './naive-run.ts'
import { nameOf, type NaiveSpace } from './naive-space.ts'

/**
 * True if the effects of a command are the changes that the twin expects, in order. Leases that were given anew end
 * somewhere between the time of the state before and `time`, that of the record, plus their length.
 */
export function madeAsExpected(
  effects: readonly Effect[],
  changes: readonly NaiveChange[] | undefined,
  space: NaiveSpace,
  time: number,
): boolean {
  if (changes === undefined) return true
  if (effects.length !== changes.length) return false
  // Which of several entries a query removes first is nobody's promise.
  const removes = changes.every((change) => change.kind === 'remove')
  const inOrder = removes ? changes.toSorted(byName) : changes
  const made = removes ? effects.toSorted((a, b) => (removedName(a, space) < removedName(b, space) ? -1 : 1)) : effects
  return inOrder.every((change, at) => isMade(change, made[at]!, space, time))
}

function byName(a: NaiveChange, b: NaiveChange): number {
  return 'name' in a && 'name' in b && a.name < b.name ? -1 : 1
}

function removedName(effect: Effect, space: NaiveSpace): string {
  const layout = effect.kind === 'remove' ? space.tables[effect.table]?.layout : undefined
  return layout === undefined || effect.kind !== 'remove' ? '' : nameOf(layout, effect.key)
}

function isMade(change: NaiveChange, effect: Effect, space: NaiveSpace, time: number): boolean {
  if (effect.kind === 'snapshot-begins' || effect.table !== change.table) return false
  const layout = space.tables[effect.table]?.layout
  if (change.kind === 'remove') {
    return effect.kind === 'remove' && effect.reason === change.reason && nameOf(layout!, effect.key) === change.name
  }
  if (change.kind === 'lease') {
    if (effect.kind !== 'lease' || nameOf(layout!, effect.key) !== change.name) return false
    return isLease(effect.lease, change.lease, 'anew', time - space.time)
  }
  if (effect.kind !== 'put') return false
  const { entry, leased } = change
  if (effect.version !== entry.version || !sameValue(effect.value, entry.value)) return false
  return isLease(effect.lease, entry.lease, leased, time - space.time)
}

/** A lease that was given anew began at some moment of the `span` of a batch. */
function isLease(
  made: RowLease | undefined,
  expected: RowLease | undefined,
  leased: 'anew' | 'kept',
  span: number,
): boolean {
  if (made?.leaseMs !== expected?.leaseMs) return false
  if (made === undefined || expected === undefined) return true
  const late = made.expiresAt - expected.expiresAt
  return leased === 'kept' ? late === 0 : late >= 0 && late <= span
}
