import { readdir, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { NodeDisk } from '../../runtime/node/index.ts'
import { FaultyDisk, systemError } from './contract/faulty-disk.ts'
import { emptyFolder } from './contract/folder-bench.ts'
import { FileSnapshots } from './file-snapshots.ts'

async function* chunks(count: number, bytes = 100): AsyncGenerator<Uint8Array, void> {
  for (let i = 0; i < count; i += 1) yield Buffer.alloc(bytes, i + 1)
}

async function load(snapshots: FileSnapshots, index: number): Promise<Buffer | string> {
  try {
    const parts: Uint8Array[] = []
    for await (const part of (await snapshots.load({ index, hash: `hash${index}` })) ?? []) parts.push(part)
    return Buffer.concat(parts)
  } catch (error) {
    if (isPlenumError(error)) return error.code
    throw error
  }
}

test('[JR7] a flipped bit in any byte of a snapshot is found: it is refused when read, or is no snapshot any more', async () => {
  await using at = await emptyFolder()
  const snapshots = new FileSnapshots(new NodeDisk(), at.path)
  await snapshots.save(7, chunks(3, 20), () => 'hash7')
  const [name] = await readdir(at.path)
  const whole = await readFile(`${at.path}/${name}`)
  const sound = await load(snapshots, 7)
  expect(sound).toHaveLength(60)
  const found = new Set<string>()
  for (let byte = 0; byte < whole.length; byte += 1) {
    const bytes = Buffer.from(whole)
    bytes[byte]! ^= 1 << (byte % 8)
    await writeFile(`${at.path}/${name}`, bytes)
    const loaded = await load(snapshots, 7)
    if (typeof loaded === 'string') found.add(loaded)
    else if (loaded.length === 0) found.add('none')
    // Eleven zeros of the header are not looked at.
    else expect(byte).toBeLessThan(16)
  }
  expect([...found].toSorted()).toEqual(['FORMAT_UNKNOWN', 'SNAPSHOT_CORRUPT', 'none'])
})

test('[JR7] a snapshot that ends at any byte before its end does not count, and the next one clears it away', async () => {
  await using at = await emptyFolder()
  const snapshots = new FileSnapshots(new NodeDisk(), at.path)
  await snapshots.save(7, chunks(3, 20), () => 'hash7')
  const [name] = await readdir(at.path)
  const whole = await readFile(`${at.path}/${name}`)
  for (let length = 0; length < whole.length; length += 1) {
    await writeFile(`${at.path}/${name}`, whole.subarray(0, length))
    expect(await snapshots.list()).toEqual([])
  }
  await snapshots.save(8, chunks(1), () => 'hash8')
  expect(await readdir(at.path)).toEqual(['8-1.snapshot'])
})

test('a snapshot that is being written is not seen, and two may be written at once', async () => {
  await using at = await emptyFolder()
  const snapshots = new FileSnapshots(new NodeDisk(), at.path)
  const seen: number[] = []
  async function* watching(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunks(3)) {
      seen.push((await snapshots.list()).length)
      yield chunk
    }
  }
  await Promise.all([
    snapshots.save(7, watching(), () => 'hash7'),
    snapshots.save(7, watching(), () => 'other'),
    snapshots.save(9, watching(), () => 'hash9'),
  ])
  expect(seen.slice(0, 3)).toEqual([0, 0, 0])
  expect((await snapshots.list()).map(({ index, hash }) => `${index} ${hash}`).toSorted()).toEqual([
    '7 hash7',
    '7 other',
    '9 hash9',
  ])
})

test('a snapshot saved again under its name is kept once', async () => {
  await using at = await emptyFolder()
  const snapshots = new FileSnapshots(new NodeDisk(), at.path)
  for (const count of [1, 2]) await snapshots.save(7, chunks(count), () => 'hash7')
  expect(await readdir(at.path)).toHaveLength(1)
  expect(await load(snapshots, 7)).toHaveLength(200)
})

test('[JR8] a disk without room for a snapshot says so and keeps nothing of it', async () => {
  await using at = await emptyFolder()
  const disk = new FaultyDisk(new NodeDisk())
  const snapshots = new FileSnapshots(disk, at.path)
  disk.plan = (operation) => (operation.at > 150 ? { error: systemError('ENOSPC'), written: 10 } : undefined)
  const error: unknown = await snapshots.save(7, chunks(3), () => 'hash7').catch((reason: unknown) => reason)
  expect(isPlenumError(error, 'JOURNAL_FULL')).toBe(true)
  expect(await readdir(at.path)).toEqual([])
})
