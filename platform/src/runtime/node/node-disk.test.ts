import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NodeDisk } from './node-disk.ts'

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'plenum-disk-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

const parts = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two'), Buffer.from('three')]

test('writes at any place, at once or later, are read back, and reading past the end gives what there is', async () => {
  await using at = await folder()
  const file = await new NodeDisk().open(join(at.path, 'f'))
  await file.write(parts, 10)
  file.writeNow(parts, 30)
  file.writeNow([Buffer.from('zero')], 0)
  await file.sync()
  file.syncNow()
  expect(await file.size()).toBe(41)
  expect(Buffer.from(await file.read(10, 11)).toString()).toBe('onetwothree')
  expect(Buffer.from(await file.read(36, 100)).toString()).toBe('three')
  expect(await file.read(50, 10)).toHaveLength(0)
  expect(await file.read(0, 0)).toHaveLength(0)
  await file.truncate(4)
  await file.close()
  await file.close()
  expect(await readFile(join(at.path, 'f'), 'utf8')).toBe('zero')
  await expect(file.write(parts, 0)).rejects.toThrow('EBADF')
  expect(() => file.writeNow(parts, 0)).toThrow('EBADF')
})

test('a thousand and more buffers go in one write', async () => {
  await using at = await folder()
  const file = await new NodeDisk().open(join(at.path, 'f'))
  const many = Array.from({ length: 3_000 }, (_, i) => Buffer.from(`${i},`))
  await file.write(many, 0)
  file.writeNow(many, 20_000)
  const expected = many.join('')
  expect(Buffer.from(await file.read(0, expected.length)).toString()).toBe(expected)
  expect(Buffer.from(await file.read(20_000, expected.length)).toString()).toBe(expected)
  await file.close()
})

test('opening a file keeps what is in it; folders are made with those above them', async () => {
  await using at = await folder()
  const disk = new NodeDisk()
  await disk.makeFolder(join(at.path, 'a/b/c'))
  await disk.makeFolder(join(at.path, 'a/b/c'))
  await writeFile(join(at.path, 'a/b/c/f'), 'kept')
  await (await disk.open(join(at.path, 'a/b/c/f'))).close()
  expect(Buffer.from((await disk.readFile(join(at.path, 'a/b/c/f')))!).toString()).toBe('kept')
  expect(await disk.readFile(join(at.path, 'a/missing'))).toBeUndefined()
  expect(await disk.list(join(at.path, 'missing'))).toEqual([])
  await disk.remove(join(at.path, 'a/b/c/f'))
  await disk.remove(join(at.path, 'a/b/c/f'))
  expect(await disk.list(join(at.path, 'a/b'))).toEqual(['c'])
})

test('a replaced file has the new content and leaves no other name behind', async () => {
  await using at = await folder()
  const disk = new NodeDisk()
  await disk.replaceFile(join(at.path, 'f'), Buffer.from('a longer first content'))
  await disk.replaceFile(join(at.path, 'f'), Buffer.from('second'))
  expect(await readFile(join(at.path, 'f'), 'utf8')).toBe('second')
  expect(await readdir(at.path)).toEqual(['f'])
})

test('[FE4] what cannot be a folder is refused with a reason, and nothing is made of it', async () => {
  await using at = await folder()
  const disk = new NodeDisk()
  const file = join(at.path, 'file')
  await writeFile(file, '')
  await symlink(join(at.path, 'nowhere'), join(at.path, 'link'))
  for (const path of [file, join(file, 'a/b'), join(at.path, 'link'), '/proc/plenum/a', 'a\0b']) {
    await expect(disk.makeFolder(path), path).rejects.toMatchObject({ code: 'FOLDER_REFUSED' })
  }
  await expect(disk.readFile(join(file, 'grid.json'))).rejects.toMatchObject({
    code: 'FOLDER_REFUSED',
    details: { folder: file },
  })
  await expect(disk.list(file)).rejects.toMatchObject({ code: 'FOLDER_REFUSED', details: { folder: file } })
  expect(await readdir(at.path)).toEqual(['file', 'link'])
})

test('folders that several make at the same time are made once', async () => {
  await using at = await folder()
  const path = join(at.path, 'a/b/c')
  await Promise.all([new NodeDisk().makeFolder(path), new NodeDisk().makeFolder(path), new NodeDisk().makeFolder(path)])
  expect(await readdir(join(at.path, 'a/b'))).toEqual(['c'])
})
