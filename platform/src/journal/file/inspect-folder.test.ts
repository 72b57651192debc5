import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { NodeDisk, nodeRuntime } from '../../runtime/node/index.ts'
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
