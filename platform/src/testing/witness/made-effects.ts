import type { Effect } from '../../space/index.ts'
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
  return effects.length === changes.length && changes.every((change, at) => isMade(change, effects[at]!, space, time))
}

function isMade(change: NaiveChange, effect: Effect, space: NaiveSpace, time: number): boolean {
  if (effect.kind === 'snapshot-begins' || effect.table !== change.table) return false
  if (change.kind === 'remove' || effect.kind === 'remove') {
    const layout = space.tables[effect.table]?.layout
    if (change.kind !== 'remove' || effect.kind !== 'remove' || layout === undefined) return false
    return effect.reason === 'removed' && nameOf(layout, effect.key) === change.name
  }
  const { entry, leased } = change
  if (effect.version !== entry.version || !sameValue(effect.value, entry.value)) return false
  if (effect.lease?.leaseMs !== entry.lease?.leaseMs) return false
  if (effect.lease === undefined || entry.lease === undefined) return true
  const late = effect.lease.expiresAt - entry.lease.expiresAt
  return leased === 'kept' ? late === 0 : late >= 0 && late <= time - space.time
}
