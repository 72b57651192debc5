import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../codec/index.ts'
import { laterLayout, readFields, writeFields, type Layout } from './layout.ts'

const before: Layout = { name: 'thing', fields: ['id', 'a', 'b'], open: false, id: ['id'], route: ['id'] }

describe('the layout under a later unit', () => {
  test('[PA10] fields are added behind the known ones, and stay where a unit drops them', () => {
    const later = laterLayout(before, { ...before, fields: ['new', 'b', 'id'] }, 2)
    expect(later.fields).toEqual(['id', 'a', 'b', 'new'])
    expect(laterLayout(before, { ...before, fields: ['b', 'id'] }, 2)).toEqual(before)
    expect(laterLayout(undefined, before, 2)).toBe(before)
  })

  test('[UN10] each other schema is a shape of its own, dated by the reign that begins with it', () => {
    const noted = (hash: string, upgrades: number): Layout => ({
      ...before,
      shapes: [upgrades],
      schema: { hash, fields: before.fields },
    })
    const first = laterLayout(before, noted('x', 0), 2)
    expect(first).toMatchObject({ shapes: [0, 0], schema: { hash: 'x', epoch: 2 } })
    expect(laterLayout(first, noted('x', 0), 3)).toEqual(first)
    expect(laterLayout(first, before, 3)).toEqual(first)
    const second = laterLayout(first, noted('x', 1), 4)
    expect(second).toMatchObject({ shapes: [0, 0, 1], schema: { hash: 'x', epoch: 4 } })
    expect(laterLayout(second, noted('y', 1), 5)).toMatchObject({
      shapes: [0, 0, 1, 1],
      schema: { hash: 'y', epoch: 5 },
    })
  })

  test('[PA10] what was written under the earlier layout is told apart by its UPGRADE, and written anew under the later one', () => {
    const later = laterLayout(before, { ...before, fields: ['id', 'new'] }, 2)
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
    ['open', { open: true }],
    ['placement', { everywhere: true }],
    ['durable', { durable: false }],
  ])('[PA10] another %s is UNIT_MISMATCH', (part, change) => {
    expect(() => laterLayout(before, { ...before, ...change }, 2)).toThrow(
      expect.objectContaining({ code: 'UNIT_MISMATCH', details: expect.objectContaining({ type: 'thing', part }) }),
    )
  })
})
