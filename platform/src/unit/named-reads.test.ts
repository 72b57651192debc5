import { describe, expect, test } from 'vitest'
import { NamedReads } from './named-reads.ts'

type Old = Readonly<Record<string, unknown>>

const old = Object.freeze({ id: 'a', gone: 1, kept: 2 })
const unnamed = (step: (value: Old) => unknown, values: readonly Old[] = [old]): readonly string[] => {
  const reads = new NamedReads(['gone'])
  for (const value of values) reads.during(value, step)
  return reads.unnamed().map(({ field }) => field)
}

describe('what a step names', () => {
  test.each<[string, (value: Old) => unknown]>([
    ['reads it', (value) => ({ more: value['gone'] })],
    ['takes it out of the rest', ({ gone, ...rest }) => [gone, rest][1]],
    [
      'reads it in a copy of the value that it was spread into, and from the value too',
      (value) => ({ ...value, more: value['gone'] }),
    ],
  ])('[UN10] a step names a field that %s', (_, step) => {
    expect(unnamed(step)).toEqual([])
  })

  test.each<[string, (value: Old) => unknown]>([
    ['leaves it out', ({ id, kept }) => ({ id, kept })],
    ['spreads the value and then leaves it out', (value) => ({ id: { ...value }['id'] })],
    ['lists the fields', (value) => Object.keys(value)],
    ['copies the value whole', (value) => structuredClone(value)],
  ])('[UN10] a step does not name a field if it %s', (_, step) => {
    expect(unnamed(step)).toEqual(['gone'])
  })

  test('[UN10] what no value has is not lost, and one step that names it is enough', () => {
    expect(unnamed(() => undefined, [{ id: 'a' }, { id: 'b', gone: undefined }])).toEqual([])
    const step = (value: Old): unknown => (value['id'] === 'b' ? value['gone'] : undefined)
    expect(unnamed(step, [old, { ...old, id: 'b' }, old])).toEqual([])
  })

  test('[UN10] what is lost is counted, and the first value with it is told', () => {
    const reads = new NamedReads(['gone', 'kept'])
    const values = [{ id: 'x' }, old, { id: 'y', gone: 1 }]
    for (const value of values) expect(reads.during(value, ({ id }) => id)).toBe(value.id)
    expect(reads.unnamed()).toEqual([
      { field: 'gone', entries: 2, first: old },
      { field: 'kept', entries: 1, first: old },
    ])
  })
})
