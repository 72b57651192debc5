import { describe, expect, test } from 'vitest'
import type { StoredValue } from './layout.ts'
import { mutate } from './mutations.ts'

const value = deepFrozen({ n: 5, big: 5n, text: 'x', inner: { a: 1, deeper: { b: 2 } }, list: [1] })

function deepFrozen<T extends object>(object: T): T {
  for (const item of Object.values(object)) if (typeof item === 'object') deepFrozen(item as object)
  return Object.freeze(object)
}

describe('declared mutations', () => {
  test.each<[string, Parameters<typeof mutate>[1], StoredValue]>([
    ['set', { set: { n: 1, 'inner.a': 9, added: null } }, { n: 1, inner: { a: 9, deeper: { b: 2 } }, added: null }],
    ['unset', { unset: ['n', 'inner.deeper.b', 'absent'] }, { n: undefined, inner: { a: 1, deeper: {} } }],
    ['add', { add: { n: -2, big: 3n, 'inner.deeper.b': 0.5 } }, { n: 3, big: 8n, inner: { a: 1, deeper: { b: 2.5 } } }],
    ['min', { min: { n: 4, big: 9n, fresh: 1 } }, { n: 4, big: 5n, fresh: 1 }],
    ['push', { push: { list: 2, fresh: 'a' } }, { list: [1, 2], fresh: ['a'] }],
    ['removeFrom', { removeFrom: { list: 1, fresh: 1 } }, { list: [], fresh: [] }],
    ['max', { max: { n: 4, big: 9n, fresh: 1 } }, { n: 5, big: 9n, fresh: 1 }],
  ])('[SP6] %s makes a new value and leaves the old one as it is', (_, mutations, expected) => {
    expect(mutate(value, mutations)).toEqual({ ...value, ...expected })
    expect(value).toEqual({ n: 5, big: 5n, text: 'x', inner: { a: 1, deeper: { b: 2 } }, list: [1] })
  })

  test('[ID4] objects on the way are copied, others are shared', () => {
    const next = mutate(value, { set: { 'inner.a': 2 } })
    expect(next['inner']).not.toBe(value.inner)
    expect((next['inner'] as typeof value.inner).deeper).toBe(value.inner.deeper)
    expect(next['list']).toBe(value.list)
  })

  test.each<[Parameters<typeof mutate>[1], string]>([
    [{ add: { text: 1 } }, 'text'],
    [{ add: { n: 1n } }, 'n'],
    [{ add: { absent: 1 } }, 'absent'],
    [{ min: { text: 1 } }, 'text'],
    [{ set: { 'text.x': 1 } }, 'text.x'],
    [{ set: { 'list.0': 1 } }, 'list.0'],
    [{ unset: ['absent.x'] }, 'absent.x'],
  ])('[SP6] %o is VALUE_INVALID and names the field', (mutations, field) => {
    expect(() => mutate(value, mutations)).toThrow(
      expect.objectContaining({ code: 'VALUE_INVALID', details: { field } }),
    )
  })
})
