import { expect, test } from 'vitest'
import { checkedLimits, defaultLimits, type Limits } from './limits.ts'

const broken = expect.objectContaining({ code: 'INVARIANT_BROKEN' })

test('[A8] the limits that hold where nothing is said fit each other, and nobody can change them', () => {
  expect(checkedLimits({ ...defaultLimits })).toEqual(defaultLimits)
  expect(Object.isFrozen(defaultLimits)).toBe(true)
})

test.each(Object.keys(defaultLimits))('[A8] %s has a bound: it is a finite number above 0', (name) => {
  for (const value of [0, -1, NaN, Infinity]) {
    expect(() => checkedLimits({ ...defaultLimits, [name]: value })).toThrow(broken)
  }
})

test.each<[string, Partial<Limits>]>([
  ['a value fits in a record', { valueBytesMax: defaultLimits.recordBytesMax }],
  ['an answer fits in a record', { answerBytesMax: defaultLimits.recordBytesMax }],
  ['a batch fits in a record', { batchBytes: defaultLimits.recordBytesMax + 1 }],
  ['whatever is in flight can be appended again', { recentRecordsMax: defaultLimits.windowRecordsMax - 1 }],
])('[A8] %s', (relation, limits) => {
  expect(() => checkedLimits({ ...defaultLimits, ...limits })).toThrow(relation)
})
