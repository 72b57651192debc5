import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from '../../embedded.ts'
import { entry, unit } from '../../index.ts'
import { entryChangeKinds } from '../checkers/journal-dump.ts'
import { folderJournal } from './folder-journal.ts'

const Item = entry('item', z.object({ id: z.string(), n: z.int() }), { id: 'id' })
const items = unit('items', { entries: [Item] }, {})
let folder = ''

beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'plenum-folder-journal-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

test('[SP12] the journal of a folder says what was done, in order, and under which key', async () => {
  const path = join(folder, 'whole')
  await using client = await embedded({ unit: items, folder: path, partitions: 1 })
  await client.space.insert(Item, { id: 'a', n: 1 }, { key: 'first' })
  await client.space.insert(Item, { id: 'a', n: 2 }, { key: 'first' })
  await client.space.write(Item, { id: 'a', n: 3 }, { key: 'second' })
  await client.space.remove(Item, { id: 'a' })
  await client[Symbol.asyncDispose]()

  const lines = await folderJournal(path)

  const changes = lines.filter(({ kind }) => entryChangeKinds.includes(kind))
  expect(changes).toEqual([
    expect.objectContaining({
      kind: 'added',
      type: 'item',
      key: 'a',
      version: 1,
      value: { id: 'a', n: 1 },
      request: 'first',
    }),
    expect.objectContaining({ kind: 'changed', key: 'a', version: 2, value: { id: 'a', n: 3 }, request: 'second' }),
    expect.objectContaining({ kind: 'removed', key: 'a' }),
  ])
  expect(changes[2]).not.toHaveProperty('request')
  expect(lines.filter(({ kind }) => kind === 'answered').map(({ request }) => request)).toEqual(['first', 'second'])
  expect(lines.map(({ kind }) => kind).filter((kind) => kind === 'open' || kind === 'close')).toEqual(['open', 'close'])
  const indexes = lines.map(({ index }) => index)
  expect(indexes).toEqual(indexes.toSorted((a, b) => a - b))
})

test('a folder without journals is refused, and one that is in use', async () => {
  await expect(folderJournal(join(folder, 'missing'))).rejects.toMatchObject({ code: 'USAGE' })
  const path = join(folder, 'open')
  await using client = await embedded({ unit: items, folder: path, partitions: 1 })
  expect(client.partitions).toBe(1)
  await expect(folderJournal(path)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
})
