import { expect, test } from 'vitest'
import { stampOf, stampValue } from './stamp.ts'
import { stampsOf, withStamps } from './stamps.ts'

function entry(id: string, stamp: number): object {
  const value = { id }
  stampValue(value, stamp)
  return Object.freeze(value)
}

/** What comes out of a network: the same fields, and no stamp. */
function travelled(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

test('[ID2] an entry, a list and the outcomes of a batch keep their stamps on the way', () => {
  const one = entry('a', 7)
  expect(stampOf(withStamps(travelled(one), stampsOf(one)) as object)).toBe(7)
  const list = [entry('a', 7), { id: 'no entry' }, entry('b', 9)]
  const arrived = withStamps(travelled(list), stampsOf(list)) as readonly object[]
  expect(arrived).toEqual(list)
  expect(arrived.map(stampOf)).toEqual([7, undefined, 9])
  const outcomes = [
    { ok: true, value: entry('a', 7) },
    { ok: false, error: {} },
    { ok: true, value: undefined },
  ]
  const batch = withStamps(travelled(outcomes), stampsOf(outcomes)) as readonly { value?: object }[]
  expect(batch.map(({ value }) => (value === undefined ? undefined : stampOf(value)))).toEqual([
    7,
    undefined,
    undefined,
  ])
  // An entry may have fields that look like an outcome.
  const odd = [Object.freeze(Object.assign(entry('a', 7), {}))]
  expect((withStamps(travelled(odd), stampsOf(odd)) as readonly object[]).map(stampOf)).toEqual([7])
})

test('what is no entry has none', () => {
  for (const value of [undefined, null, 3, 'x', [], [1], { sum: 1 }]) {
    expect(stampsOf(value)).toBeUndefined()
    expect(withStamps(value, undefined)).toBe(value)
  }
})
