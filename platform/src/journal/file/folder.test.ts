import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { isPlenumError, type PlenumError } from '../../kernel/index.ts'
import type { Folder } from './folder.ts'
import { NodeDisk } from '../../runtime/node/index.ts'
import { FaultyDisk, systemError } from './contract/faulty-disk.ts'
import { emptyFolder, openHere } from './contract/folder-bench.ts'
import { testRecord } from './contract/log-bench.ts'

async function failure(opening: Promise<Folder>): Promise<PlenumError> {
  const error: unknown = await opening.then(
    (folder) => folder.close(),
    (reason: unknown) => reason,
  )
  if (isPlenumError(error)) return error
  throw new Error('the folder opened', { cause: error })
}

test('a grid is made once, with ids of its own, and is the same when it is opened again', async () => {
  await using at = await emptyFolder()
  const made = await openHere(`${at.path}/data/here`)
  const ids = made.partitions.map(({ id }) => Buffer.from(id).toString('hex'))
  expect(new Set([...ids, made.grid]).size).toBe(3)
  expect(await made.partitions[1]!.journal.append(1, testRecord(1, 1))).toMatchObject({ kind: 'acked' })
  await made.close()
  expect((await readdir(`${at.path}/data/here`)).toSorted()).toEqual(['grid.json', 'lock', 'log', 'snapshots'])
  const again = await openHere(`${at.path}/data/here`, { create: false })
  expect(again.grid).toBe(made.grid)
  expect(again.partitions.map(({ id }) => Buffer.from(id).toString('hex'))).toEqual(ids)
  expect(await again.partitions[1]!.journal.open()).toMatchObject({ next: 2 })
  await again.close()
})

test('a folder without a grid is an error unless one is to be made', async () => {
  await using at = await emptyFolder()
  expect((await failure(openHere(at.path, { create: false }))).code).toBe('USAGE')
  expect(await readdir(at.path)).toEqual([])
})

test('a grid of another number of partitions is another grid', async () => {
  await using at = await emptyFolder()
  await (await openHere(at.path)).close()
  const error = await failure(openHere(at.path, { partitions: 3 }))
  expect(error).toMatchObject({ code: 'FOLDER_OF_ANOTHER_GRID', details: { found: 2, expected: 3 } })
})

test("another grid's segment in the folder is refused", async () => {
  await using one = await emptyFolder()
  await using two = await emptyFolder()
  for (const path of [one.path, two.path]) await (await openHere(path)).close()
  await writeFile(`${one.path}/log/00000001.log`, await readFile(`${two.path}/log/00000001.log`))
  expect((await failure(openHere(one.path))).code).toBe('FOLDER_OF_ANOTHER_GRID')
})

test('a format of the future is named, not guessed at', async () => {
  await using at = await emptyFolder()
  await (await openHere(at.path)).close()
  const path = `${at.path}/grid.json`
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('"format": 3', '"format": 4'))
  expect(await failure(openHere(at.path))).toMatchObject({ code: 'FORMAT_UNKNOWN', details: { found: 4, known: 3 } })
})

test('a known grid whose log is gone is corruption, never a new grid', async () => {
  await using at = await emptyFolder()
  await (await openHere(at.path)).close()
  await rm(`${at.path}/log`, { recursive: true })
  expect((await failure(openHere(at.path))).code).toBe('JOURNAL_CORRUPT')
  await mkdir(`${at.path}/log`)
  expect((await failure(openHere(at.path))).code).toBe('JOURNAL_CORRUPT')
  expect(await readdir(`${at.path}/log`)).toEqual([])
})

test('a log with records whose grid.json is gone or damaged is corruption, never a new grid', async () => {
  await using at = await emptyFolder()
  const folder = await openHere(at.path)
  await folder.partitions[0]!.journal.append(1, testRecord(0, 1))
  await folder.close()
  const path = `${at.path}/grid.json`
  const text = await readFile(path, 'utf8')
  for (const damaged of ['', '{', 'null', '[]', '{}', text.replace(/"journals": \[\n *"./, '"journals": [\n"x')]) {
    await writeFile(path, damaged)
    expect((await failure(openHere(at.path))).code).toBe('JOURNAL_CORRUPT')
  }
  await rm(path)
  expect((await failure(openHere(at.path))).code).toBe('JOURNAL_CORRUPT')
  await writeFile(path, text)
  const again = await openHere(at.path)
  expect(await again.partitions[0]!.journal.open()).toMatchObject({ next: 2 })
  await again.close()
})

test('a grid whose making was interrupted is made anew', async () => {
  await using at = await emptyFolder()
  await (await openHere(at.path)).close()
  const segment = `${at.path}/log/00000001.log`
  const whole = (await readFile(segment)).fill(0, 64 + 40 + 16)
  for (const left of [whole, Buffer.from(whole).fill(0, 64), Buffer.alloc(whole.length), Buffer.alloc(0)]) {
    await rm(`${at.path}/grid.json`)
    await writeFile(segment, left)
    const folder = await openHere(at.path)
    expect(await folder.partitions[0]!.journal.append(1, testRecord(0, 1))).toMatchObject({ kind: 'acked' })
    await folder.close()
  }
})

test('[JR8] wherever the disk turns out to be full at the first start, that is said, nothing stays, and the next one works', async () => {
  await using at = await emptyFolder()
  const disk = new FaultyDisk(new NodeDisk())
  for (let failing = 1; ; failing += 1) {
    let steps = 0
    disk.plan = () => ((steps += 1) >= failing ? { error: systemError('ENOSPC') } : undefined)
    const opened = await openHere(at.path, { disk }).catch((error: unknown) => error)
    if (steps < failing) {
      await (opened as Folder).close()
      expect(failing).toBeGreaterThan(5)
      break
    }
    expect(opened, `step ${failing}`).toMatchObject({ code: 'JOURNAL_FULL', details: { folder: at.path } })
    if (await hasGrid(at.path)) continue
    expect(await readdir(`${at.path}/log`), `step ${failing}`).toEqual([])
  }
})

async function hasGrid(path: string): Promise<boolean> {
  return (await readdir(path)).includes('grid.json')
}
