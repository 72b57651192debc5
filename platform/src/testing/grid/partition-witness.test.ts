import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from '../../embedded.ts'
import { entry, unit } from '../../index.ts'
import { inspectFolder } from '../../journal/file/index.ts'
import type { Found } from '../../journal/index.ts'
import { defaultLimits } from '../../kernel/index.ts'
import { Replica } from '../../partition/index.ts'
import { NodeDisk, nodeRuntime } from '../../runtime/node/index.ts'
import { SeededRandom } from '../../runtime/simulated/index.ts'
import { PartitionWitness, type Claim } from './partition-witness.ts'

const Item = entry('item', z.object({ id: z.int(), n: z.int() }), { id: 'id' })
const items = unit('items', { entries: [Item] }, {})
const runtime = nodeRuntime()
const digest = (parts: readonly Uint8Array[]): Uint8Array => runtime.digest(parts)
const records: Found[] = []
let journalId = new Uint8Array()

beforeAll(async () => {
  const path = await mkdtemp(join(tmpdir(), 'plenum-witness-'))
  const client = await embedded({ unit: items, folder: path, partitions: 1 })
  for (let n = 0; n < 40; n++) await client.space.write(Item, { id: n % 7, n })
  await client[Symbol.asyncDispose]()
  const folder = await inspectFolder({ disk: new NodeDisk(), path, clock: runtime.clock })
  const [only] = folder.partitions
  journalId = Uint8Array.from(only!.id)
  for await (const { position, bytes } of only!.journal.read(1)) records.push({ position, bytes: bytes.slice() })
  await folder.close()
  await rm(path, { recursive: true })
})

/** The naive twin: the hash of the state at each index, made as it is passed. */
function allClaims(): readonly Claim[] {
  const claims: Claim[] = []
  const replica: Replica = new Replica({
    journal: journalId,
    digest,
    limits: defaultLimits,
    keepRecent: false,
    observe: ({ index }) => void claims.push({ who: 'twin', index, hash: replica.hash() }),
  })
  for (const found of records) replica.offer(found)
  return claims
}

/** A witness of a stream that shows no more than so many records, and is trimmed behind what was read. */
function witnessOf(shown: { count: number }): PartitionWitness {
  const stored = (from: number): readonly Found[] =>
    records.slice(0, shown.count).filter(({ position }) => position >= from)
  return new PartitionWitness(0, journalId, runtime, defaultLimits, stored)
}

test('[A5] claims at every index are right, in whatever order they come, while the head goes on', () => {
  const claims = allClaims()
  expect(claims.length).toBeGreaterThan(40)
  const random = new SeededRandom('claims')
  const shown = { count: 0 }
  const witness = witnessOf(shown)
  while (shown.count < records.length) {
    shown.count = Math.min(records.length, shown.count + 1 + random.integer(8))
    const head = witness.look()
    expect(head).toBe(witness.accepted)
    const some = claims.filter(({ index }) => index <= head && random.chance(0.3))
    witness.compare(some.toSorted(() => random.next() - 0.5))
  }
  expect(witness.accepted).toBe(claims.length)
  expect(() => witness.compare(claims)).not.toThrow()
})

test('[A5] a claim that is wrong, at the head or behind it, is found, and one of an index that is not there', () => {
  const claims = allClaims()
  const witness = witnessOf({ count: records.length })
  const head = witness.look()
  for (const at of [3, 20, claims.length - 1]) {
    const wrong = { ...claims[at]!, hash: claims[at - 1]!.hash }
    expect(() => witness.compare([claims[at - 1]!, wrong])).toThrow(`the fold from zero has ${claims[at]!.hash}`)
  }
  expect(() => witness.compare([{ who: 'member 1', index: head + 1, hash: 'x' }])).toThrow('has no such index')
})
