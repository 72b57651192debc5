import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../codec/index.ts'
import { laterLayout, readFields, writeFields, type Layout } from './layout.ts'

const before: Layout = { name: 'thing', fields: ['id', 'a', 'b'], open: false, id: ['id'], route: ['id'] }

describe('the layout under a later unit', () => {
  test('[PA10] fields are added behind the known ones, and stay where a unit drops them', () => {
    const later = laterLayout(before, { ...before, fields: ['new', 'b', 'id'] })
    expect(later.fields).toEqual(['id', 'a', 'b', 'new'])
    expect(laterLayout(before, { ...before, fields: ['b', 'id'] })).toEqual(before)
    expect(laterLayout(undefined, before)).toBe(before)
  })

  test('[PA10] what was written under the earlier layout is told apart by its UPGRADE, and written anew under the later one', () => {
    const later = laterLayout(before, { ...before, fields: ['id', 'new'] })
    const writer = new ByteWriter()
    writeFields(writer, later, { id: 'x', b: null, new: 1n })
    const reader = new ByteReader(writer.written())
    expect(readFields(reader, later)).toEqual({ id: 'x', b: null, new: 1n })
    expect(reader.done).toBe(true)
  })

  test.each<[string, Partial<Layout>]>([
    ['id', { id: ['a'] }],
    ['route', { route: ['a'] }],
    ['id', { id: ['id', 'a'] }],
    ['id', { open: true }],
    ['placement', { everywhere: true }],
    ['durable', { durable: false }],
  ])('[PA10] another %s is UNIT_MISMATCH', (part, change) => {
    expect(() => laterLayout(before, { ...before, ...change })).toThrow(
      expect.objectContaining({ code: 'UNIT_MISMATCH', details: expect.objectContaining({ type: 'thing', part }) }),
    )
  })
})
