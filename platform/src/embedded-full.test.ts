import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, unit, type EmbeddedEvent } from './index.ts'

const Item = entry('item', z.object({ id: z.string(), n: z.int(), text: z.string() }), { id: 'id' })
const stock = unit('stock', { entries: [Item] }, {})
const text = 'x'.repeat(4_000)
const bytesMax = 8 << 20

let folder: string
let events: EmbeddedEvent[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plenum-full-'))
  events = []
})
afterEach(() => rmSync(folder, { recursive: true }))

function start() {
  const onEvent = (event: EmbeddedEvent): void => void events.push(event)
  return embedded({ unit: stock, partitions: 3, journal: { folder, bytesMax }, ack: 'os', onEvent })
}

function logBytes(): number {
  const log = join(folder, 'log')
  return readdirSync(log).reduce((sum, name) => sum + statSync(join(log, name)).size, 0)
}

/** Partitions that took a snapshot. */
function snapshotted(): readonly number[] {
  const all = events.flatMap(({ partition, event }) => (event.kind === 'snapshot' ? [partition!] : []))
  return [...new Set(all)].toSorted((a, b) => a - b)
}

test('[JR8] [JR7] writes to a few keys go on for ever in a small journal: every partition makes room, idle ones too', async () => {
  {
    await using client = await start()
    for (let n = 0; n < 6_000; n += 1) await client.space.write(Item, { id: 'a', n, text })
    expect(logBytes()).toBeLessThanOrEqual(bytesMax)
    expect(snapshotted()).toEqual([0, 1, 2])
  }
  await using again = await start()
  expect(await again.space.get(Item, { id: 'a' })).toMatchObject({ n: 5_999 })
  expect(await again.space.count(Item, {})).toBe(1)
})

test('[JR8] writes that come faster than room can be made wait for it, and reads do not', async () => {
  await using client = await start()
  const writes = Array.from({ length: 3_000 }, (_, n) => client.space.write(Item, { id: `k${n % 30}`, n, text }))
  const order: string[] = []
  const last = writes.at(-1)!.then(() => order.push('write'))
  await client.space.get(Item, { id: 'k1' }).then(() => order.push('read'))
  await Promise.all(writes)
  await last
  expect(order).toEqual(['read', 'write'])
  expect(await client.space.count(Item, {})).toBe(30)
  expect(logBytes()).toBeLessThanOrEqual(bytesMax)
})

test('[JR8] a command that is larger than the room that is left did nothing, and smaller ones go on', async () => {
  await using client = await start()
  const many = Array.from({ length: 2_400 }, (_, n) => ({ id: `k${n}`, n, text }))
  const outcomes = await client.space.writeAll(Item, many)
  expect(outcomes.length).toBe(many.length)
})
