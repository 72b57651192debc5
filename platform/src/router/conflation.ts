import type { Change, StoredValue } from '../space/index.ts'
import { keyFieldsOf } from '../space/index.ts'
import type { ClientType } from './space-client.ts'

/** One change for each entry that is not as it was: what came of all its changes (WA3). */
export function conflated(
  changes: readonly Change<StoredValue>[],
  type: Pick<ClientType, 'layout'>,
): readonly Change<StoredValue>[] {
  const fields = keyFieldsOf(type)
  const last = new Map<string, Change<StoredValue>>()
  for (const change of changes) {
    const name = JSON.stringify(fields.map((field) => keyText(change.entry[field])))
    const before = last.get(name)
    const both = before === undefined ? change : together(before, change)
    if (both === undefined) last.delete(name)
    else last.set(name, both)
  }
  return [...last.values()]
}

/** Two changes of one entry as one; undefined if it is as it was. */
function together(first: Change<StoredValue>, second: Change<StoredValue>): Change<StoredValue> | undefined {
  const before = first.kind === 'added' ? undefined : first.kind === 'changed' ? first.previous : first.entry
  if (second.kind === 'removed') return before === undefined ? undefined : { ...second, entry: before }
  const { entry } = second
  return before === undefined ? { kind: 'added', entry } : { kind: 'changed', entry, previous: before }
}

function keyText(item: unknown): unknown {
  return typeof item === 'bigint' ? { bigint: item.toString() } : item
}
