import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { LookingDisk, NodeDisk, nodeRuntime } from '../../runtime/node/index.ts'
import type { Journal } from '../journal.ts'
import { emptyFolder, openHere } from './contract/folder-bench.ts'
import { testRecord } from './contract/log-bench.ts'
import { inspectFolder } from './inspect-folder.ts'

const small = { segmentBytesMin: 8 << 10, segmentBytesMax: 8 << 10, markMs: 1e9 }

/** A folder of two partitions with 30 records each of 700 bytes, over several segments, as a kill leaves it. */
async function made(path: string): Promise<void> {
  const folder = await openHere(path, small)
  for (let position = 1; position <= 30; position += 1) {
    for (const [number, { journal }] of folder.partitions.entries()) {
      await journal.append(position, testRecord(number, position, 700))
    }
  }
  await folder.close()
}

async function files(path: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(`${path}/log`)
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(`${path}/log/${name}`, 'hex')] as const)),
  )
}

async function count(journal: Journal): Promise<number> {
  let records = 0
  for await (const { position } of journal.read(1)) expect(position).toBe((records += 1))
  return records
}

test('a sound folder is read, and left as it is to the byte', async () => {
  await using at = await emptyFolder()
  await made(at.path)
  const before = await files(at.path)
  const inspected = await inspectFolder({ disk: new NodeDisk(), path: at.path, clock: nodeRuntime().clock })
  const [{ journal }] = [inspected.partitions[0]!]
  expect(inspected.damage).toBeUndefined()
  expect(inspected.torn).toBeUndefined()
  expect(await count(journal)).toBe(30)
  expect(await journal.append(31, testRecord(0, 31))).toEqual({ kind: 'unavailable' })
  await expect(journal.trim(10)).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' })
  await expect(openHere(at.path)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
  await inspected.close()
  expect(await files(at.path)).toEqual(before)
})

test('a torn tail is shown and not cut', async () => {
  await using at = await emptyFolder()
  await made(at.path)
  // The last file with groups in it; one that was made ahead may follow.
  const used = [...(await files(at.path))].filter(([, hex]) => !/^0*$/.test(hex.slice(128)))
  const name = used
    .map(([file]) => file)
    .toSorted()
    .at(-1)!
  const bytes = await readFile(`${at.path}/log/${name}`)
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1
  bytes.fill(0x55, end + 8, end + 100)
  await writeFile(`${at.path}/log/${name}`, bytes)
  const before = await files(at.path)
  const inspected = await inspectFolder({ disk: new NodeDisk(), path: at.path, clock: nodeRuntime().clock })
  expect(inspected.damage).toBeUndefined()
  expect(inspected.torn).toMatchObject({ file: `${at.path}/log/${name}` })
  await inspected.close()
  expect(await files(at.path)).toEqual(before)
})

test('of a damaged folder the damage is shown, and everything before it can be read', async () => {
  await using at = await emptyFolder()
  await made(at.path)
  const names = [...(await files(at.path)).keys()].toSorted()
  const bytes = await readFile(`${at.path}/log/${names[1]}`)
  bytes[4_000]! ^= 1
  await writeFile(`${at.path}/log/${names[1]}`, bytes)
  const inspected = await inspectFolder({ disk: new NodeDisk(), path: at.path, clock: nodeRuntime().clock })
  expect(inspected.damage).toMatchObject({ code: 'JOURNAL_CORRUPT', details: { file: `${at.path}/log/${names[1]}` } })
  const counts = await Promise.all(inspected.partitions.map(({ journal }) => count(journal)))
  expect(inspected.damage!.details).toMatchObject({ soundBefore: counts.map((records) => records + 1) })
  expect(Math.min(...counts)).toBeGreaterThan(5)
  await inspected.close()
  await rm(`${at.path}/log/${names[1]}`)
  const again = await inspectFolder({ disk: new NodeDisk(), path: at.path, clock: nodeRuntime().clock })
  expect(again.damage).toMatchObject({ code: 'JOURNAL_CORRUPT', details: { file: `${at.path}/log/${names[1]}` } })
  expect(await count(again.partitions[0]!.journal)).toBeGreaterThan(3)
  await again.close()
})

/** Looks at a folder while it is held here. */
function look(path: string) {
  return inspectFolder({ disk: new LookingDisk(), path, clock: nodeRuntime().clock, whileItRuns: true })
}

test('[TT1] [FE4] a folder that is being written is looked at: a beginning of each journal, no damage, and the lock stays', async () => {
  await using at = await emptyFolder()
  const folder = await openHere(at.path, small)
  const acked = [0, 0]
  let isWriting = true
  const write = async (number: number): Promise<void> => {
    const { journal } = folder.partitions[number]!
    for (let position = 1; isWriting; position += 1) {
      const outcome = await journal.append(position, testRecord(number, position, 300 + (position % 7) * 90))
      expect(outcome.kind).toBe('acked')
      acked[number] = position
      // Files come and go under whoever looks.
      if (position % 40 === 0) await journal.trim(position - 20)
    }
  }
  const writing = [write(0), write(1)]
  let gone = 0
  for (let round = 0; round < 60; round += 1) {
    const before = [...acked]
    const found = await look(at.path).catch((error: unknown) => error as NodeJS.ErrnoException)
    if (found instanceof Error) {
      expect(found).toMatchObject({ code: 'ENOENT' })
      gone += 1
      continue
    }
    expect([found.isRunning, found.damage, found.torn]).toEqual([true, undefined, undefined])
    for (const [number, { journal }] of found.partitions.entries()) {
      const { first, next } = await journal.open()
      expect(next).toBeGreaterThan(before[number]!)
      let position = first
      for await (const record of journal.read(first)) {
        expect(record.position).toBe(position)
        expect(
          Buffer.from(record.bytes).equals(Buffer.from(testRecord(number, position, 300 + (position % 7) * 90))),
        ).toBe(true)
        position += 1
      }
      expect(position).toBe(next)
    }
    await found.close()
  }
  expect(gone).toBeLessThan(60)
  await expect(openHere(at.path)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
  isWriting = false
  await Promise.all(writing)
  await folder.close()
})

test('[TT1] damage stays at its place, and is told also while the folder is being written', async () => {
  await using at = await emptyFolder()
  await made(at.path)
  const folder = await openHere(at.path, small)
  const name = [...(await files(at.path)).keys()].toSorted()[1]!
  const bytes = await readFile(`${at.path}/log/${name}`)
  await writeFile(`${at.path}/log/${name}`, bytes.with(3_000, bytes[3_000]! ^ 1))
  let isWriting = true
  const writing = (async () => {
    for (let position = 31; isWriting; position += 1)
      await folder.partitions[0]!.journal.append(position, testRecord(0, position, 700))
  })()
  const found = await look(at.path)
  expect(found.damage).toMatchObject({ code: 'JOURNAL_CORRUPT', details: { file: `${at.path}/log/${name}` } })
  isWriting = false
  await writing
  await found.close()
  await folder.close()
})
