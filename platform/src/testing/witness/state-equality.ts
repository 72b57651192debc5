// States that must be the same: live, folded from zero, snapshot and tail, and every follower, at one index (A1, A5).
import type { Found } from '../../journal/index.ts'
import { Replica } from '../../partition/index.ts'
import type { Machine } from '../../space/index.ts'
import { canonicalText } from '../checkers/canonical.ts'
import { violation, type CheckResult } from '../checkers/check-result.ts'
import type { JournalHistory } from './journal-history.ts'
import { NaiveSpace, nameOf } from './naive-space.ts'

/** Somebody's state at an index, by its hash. */
export interface StateClaim {
  /** Whose state it is, such as `fold from zero` or `member 2`. */
  readonly who: string
  readonly partition: number
  readonly index: number
  readonly hash: string
}

/** The state of a replica at its fold's head. Of a primary it is that only while nothing of it is in flight. */
export function claimOf(who: string, partition: number, replica: Replica): StateClaim {
  return { who, partition, index: replica.fold.head.index, hash: replica.hash() }
}

/** All claims about one index of one partition name the same hash. */
export function checkStates(
  claims: readonly StateClaim[],
): CheckResult<{ readonly claims: number; readonly compared: number }, StateClaim> {
  const byIndex = Map.groupBy(claims, ({ partition, index }) => `${partition} ${index}`)
  for (const same of byIndex.values()) {
    const [first, ...others] = same
    const other = others.find(({ hash }) => hash !== first?.hash)
    if (first === undefined || other === undefined) continue
    return violation(
      `Partition ${first.partition}: at index ${first.index} ${first.who} has the state ${first.hash}, ${other.who} has ${other.hash}.`,
      same,
    )
  }
  return { ok: true, claims: claims.length, compared: claims.length - byIndex.size }
}

/** A replica made from nothing but the records that were found, from the first on. */
export function foldFromZero(options: ConstructorParameters<typeof Replica>[0], records: Iterable<Found>): Replica {
  const replica = new Replica(options)
  for (const found of records) replica.offer(found)
  return replica
}

/** The naive twin's state at an index: the effects of all records up to it, made on plain maps. */
export function naiveStateAt({ records }: Pick<JournalHistory, 'records'>, index: number): NaiveSpace {
  const space = new NaiveSpace()
  for (const record of records) {
    if (record.index > index) break
    space.time = record.time
    if (record.kind === 'OPEN') space.renewLeases()
    if (record.layouts !== undefined) space.declare(record.layouts)
    for (const { effects } of record.commands) for (const effect of effects) space.apply(effect, record.time)
  }
  return space
}

/** How a machine's state differs from the twin's, one sentence for each entry, ten at most; none if they are equal. */
export function differences(space: NaiveSpace, machine: Machine): readonly string[] {
  const found: string[] = []
  if (space.change !== machine.change)
    found.push(`The twin made ${space.change} changes, the machine ${machine.change}.`)
  for (const table of machine.tables) {
    const left = new Map(space.tables[table.number]?.entries)
    for (const { value, version, stamp, born, lease } of table.rows()) {
      const name = nameOf(table.layout, value)
      const twin = left.get(name)
      left.delete(name)
      const own = canonicalText({ value, version, stamp, born, lease })
      const other = twin === undefined ? 'nothing' : canonicalText(twin)
      if (own !== other) found.push(`Of ${name} the twin has ${other}, the machine ${own}.`)
    }
    for (const name of left.keys()) found.push(`The twin has ${name}, the machine does not.`)
  }
  return found.slice(0, 10)
}
