import { expect, test } from 'vitest'
import type { Change, StoredValue } from '../space/index.ts'
import { conflated } from './conflation.ts'

const type = { layout: { name: 't', fields: ['id', 'n'], open: false, id: ['id'], route: ['id'] } }
const value = (n: number, id: unknown = 'a'): StoredValue => ({ id, n })
const added = (n: number, id?: unknown): Change<StoredValue> => ({ kind: 'added', entry: value(n, id) })
const changed = (n: number): Change<StoredValue> => ({ kind: 'changed', entry: value(n), previous: value(n - 1) })
const removed = (n: number): Change<StoredValue> => ({ kind: 'removed', entry: value(n), reason: 'removed' })

test.each<[string, readonly Change<StoredValue>[], readonly Change<StoredValue>[]]>([
  ['added, changed', [added(1), changed(2)], [added(2)]],
  ['added, removed', [added(1), removed(1)], []],
  ['changed twice', [changed(2), changed(3)], [{ kind: 'changed', entry: value(3), previous: value(1) }]],
  ['changed, removed', [changed(2), removed(2)], [removed(1)]],
  ['removed, added', [removed(1), added(5)], [{ kind: 'changed', entry: value(5), previous: value(1) }]],
  ['two entries', [added(1), added(2, 7n), added(3, '7')], [added(1), added(2, 7n), added(3, '7')]],
])('[WA3] %s: one change for each entry, from what was to what is', (_, changes, expected) => {
  expect(conflated(changes, type)).toEqual(expected)
})
