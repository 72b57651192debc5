import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockIndex, type Block } from './block-index.ts'

/** Groups of one journal's records over segments, as the writer adds them: bytes and records of each, and a new segment. */
const groups = fc.array(
  fc.record({ length: fc.integer({ min: 40, max: 700_000 }), records: fc.nat(5), moves: fc.boolean() }),
  { minLength: 1, maxLength: 60 },
)

test('a block is found by any position in it, and the blocks follow one another without a gap', () => {
  fc.assert(
    fc.property(groups, (list) => {
      const index = new BlockIndex()
      const places: { segment: number; at: number; position: number }[] = []
      let [segment, at, next] = [1, 64, 1]
      for (const { length, records, moves } of list) {
        if (moves) [segment, at] = [segment + 1, 64]
        index.add(segment, at, length, [7, next])
        for (let i = 0; i < records; i += 1) places.push({ segment, at, position: next + i })
        at += length
        next += records
      }
      // The naive way: walk all blocks.
      const blocks: Block[] = []
      for (let block = index.find(1, 0); block !== undefined; block = index.after(block)) blocks.push(block)
      expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBe(
        list.reduce((sum, { length }) => sum + length, 0),
      )
      for (const place of places) {
        const holder = blocks.findLast((block) => (block.first[1] ?? 0) <= place.position)
        const found = index.find(1, place.position)
        expect(found).toBe(holder)
        expect(found).toMatchObject({ segment: place.segment })
        expect(place.at).toBeGreaterThanOrEqual(found!.at)
        expect(place.at).toBeLessThan(found!.at + found!.length)
      }
    }),
    { numRuns: 200 },
  )
})
