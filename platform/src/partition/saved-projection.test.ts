import { expect, test } from 'vitest'
import type { StoredValue } from '../space/index.ts'
import { ProjectionReader, SavedProjection, type ProjectionState } from './saved-projection.ts'

const caller = { kind: 'unit', subject: 'u', claims: {} } as const

function stateOf(sends: number, changes: number): ProjectionState {
  return {
    last: { index: 9, offset: 2 },
    lastSend: { index: 8, offset: 0 },
    dropped: 3,
    begunWith: 1,
    state: [['A', 1]],
    pending: Array.from({ length: sends }, (_, offset) => ({
      index: 7,
      offset,
      bytes: 30,
      message: { to: 1, call: { handler: 'h', input: { n: offset }, route: 'r', caller }, afterMs: 0 },
    })),
    kept: Array.from({ length: changes }, (_, offset) => ({
      index: 8,
      offset,
      behind: 0,
      schema: '',
      change: { type: 'item', kind: 'added', entry: { id: `i${offset}`, text: 'x'.repeat(40) } },
    })),
  }
}

function blocksOf(saved: SavedProjection, bytesMax: number): Uint8Array[] {
  const blocks: Uint8Array[] = []
  for (;;) {
    const block = saved.next((bytes) => bytes >= bytesMax)
    if (block === undefined) return blocks
    blocks.push(block.slice())
  }
}

test('[UN6] [JR7] what is saved of a projection is the same again, in blocks of whatever size, and so is its hash', () => {
  for (const [sends, changes] of [
    [0, 0],
    [3, 0],
    [0, 500],
    [20, 500],
  ] as const) {
    const state = stateOf(sends, changes)
    const hashes = [1, 1_000, 1e9].map((bytesMax) => {
      const saved = new SavedProjection('p', state)
      const blocks = blocksOf(saved, bytesMax)
      const reader = new ProjectionReader()
      const ends = blocks.map((block) => reader.add(block))
      expect(ends.slice(0, -1).every((end) => end === undefined)).toBe(true)
      expect(ends.at(-1)).toEqual(state)
      expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThan(bytesMax + 300)
      return saved.hash
    })
    // A hash that was never asked for block by block is the same.
    expect(new Set([...hashes, new SavedProjection('p', state).hash]).size).toBe(1)
  }
})

test('[UN6] [JR7] a block of a projection that is damaged, or was left out, is found', () => {
  const blocks = blocksOf(new SavedProjection('p', stateOf(5, 100)), 500)
  const read = (some: readonly Uint8Array[]) => (): void => {
    const reader = new ProjectionReader()
    for (const block of some) reader.add(block)
  }
  expect(read(blocks)).not.toThrow()
  for (const at of blocks.slice(0, -1).keys()) {
    if (at > 0) expect(read(blocks.toSpliced(at, 1))).toThrow(/hash/)
    const changed = blocks.map((block) => block.slice())
    const last = changed[at]!.length - 1
    changed[at]![last] = changed[at]![last]! ^ 1
    expect(read(changed), `block ${at}`).toThrow(/./)
  }
})

test('[UN6] [JR7] an entry as deep as it may be is saved with a projection as it is', () => {
  let deep: unknown = 1
  for (let depth = 0; depth < 64; depth++) deep = [deep]
  const state = stateOf(0, 0)
  const entry = { id: 'i', deep } as StoredValue
  const kept = [
    { index: 1, offset: 0, behind: 0, schema: 's', change: { type: 'item', kind: 'changed', entry, previous: entry } },
    { index: 2, offset: 0, behind: 1, schema: 's', change: { type: 'item', kind: 'removed', entry, reason: 'taken' } },
  ] as const
  const reader = new ProjectionReader()
  const ends = blocksOf(new SavedProjection('p', { ...state, kept }), 1).map((block) => reader.add(block))
  expect(ends.at(-1)).toEqual({ ...state, kept })
})
