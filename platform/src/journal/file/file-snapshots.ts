import { crc32 } from 'node:zlib'
import { assert, PlenumError } from '../../kernel/index.ts'
import type { Disk, File } from '../../runtime/index.ts'
import type { SnapshotName } from '../journal.ts'
import { asBuffer } from './layout.ts'
import { isDiskFull } from './segment-supply.ts'
import {
  chunkHeaderBytes,
  hashLengthMax,
  readSnapshotHeader,
  readTrailer,
  snapshotFormat,
  snapshotHeaderBytes,
  snapshotTrailerBytes,
  writeChunkHeader,
  writeSnapshotHeader,
  writeTrailer,
} from './snapshot-layout.ts'

interface Kept {
  readonly path: string
  readonly name: SnapshotName
}

/**
 * The snapshots of one journal: files `<index>-<number>.snapshot` of a folder. The hash is known only when the last
 * chunk is written, so it stands in the trailer, which also says that the file is whole.
 */
export class FileSnapshots {
  readonly #disk: Disk
  readonly #folder: string
  readonly #writing = new Set<string>()

  constructor(disk: Disk, folder: string) {
    this.#disk = disk
    this.#folder = folder
  }

  /** Writes a snapshot and syncs it. JOURNAL_FULL if the disk has no room; what the chunks throw. Leaves nothing then. */
  async save(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName> {
    await this.#disk.makeFolder(this.#folder)
    await this.#removeUnfinished()
    const path = await this.#freePath(index)
    this.#writing.add(path)
    let file: File | undefined
    try {
      file = await this.#disk.open(path)
      const name = await write(file, index, chunks, hash)
      await file.close()
      await this.#disk.syncFolder(this.#folder)
      await this.#removeTwins(path, name)
      return name
    } catch (error) {
      await file?.close().catch(() => {})
      await this.#disk.remove(path)
      if (!isDiskFull(error)) throw error
      throw new PlenumError('JOURNAL_FULL', `The disk has no room for a snapshot in ${this.#folder}.`, { cause: error })
    } finally {
      this.#writing.delete(path)
    }
  }

  /** The chunks of a snapshot, each verified when it is read: SNAPSHOT_CORRUPT. Undefined if there is none of this name. */
  async load(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined> {
    const found = (await this.#kept()).find((kept) => isSame(kept.name, name))
    return found === undefined ? undefined : this.#chunks(found.path)
  }

  /** Newest index first. */
  async list(): Promise<readonly SnapshotName[]> {
    return (await this.#kept()).map(({ name }) => name).toSorted((a, b) => b.index - a.index)
  }

  async remove(name: SnapshotName): Promise<void> {
    for (const kept of await this.#kept()) if (isSame(kept.name, name)) await this.#disk.remove(kept.path)
    await this.#disk.syncFolder(this.#folder)
  }

  async #paths(): Promise<readonly string[]> {
    const names = await this.#disk.list(this.#folder)
    return names.filter((name) => name.endsWith('.snapshot')).map((name) => `${this.#folder}/${name}`)
  }

  async #kept(): Promise<readonly Kept[]> {
    const kept: Kept[] = []
    for (const path of await this.#paths()) {
      if (this.#writing.has(path)) continue
      const name = await this.#opened(path, nameIn)
      if (name !== undefined) kept.push({ path, name })
    }
    return kept
  }

  async #freePath(index: number): Promise<string> {
    const taken = await this.#paths()
    for (let number = 1; ; number += 1) {
      const path = `${this.#folder}/${index}-${number}.snapshot`
      if (!taken.includes(path) && !this.#writing.has(path)) return path
    }
  }

  /** Files whose writing a crash ended are of no use to anybody. */
  async #removeUnfinished(): Promise<void> {
    for (const path of await this.#paths()) {
      if (this.#writing.has(path)) continue
      if ((await this.#opened(path, nameIn)) === undefined) await this.#disk.remove(path)
    }
  }

  /** A snapshot of the same name holds the same state; the newer file stays. */
  async #removeTwins(path: string, name: SnapshotName): Promise<void> {
    for (const kept of await this.#kept()) {
      if (kept.path !== path && isSame(kept.name, name)) await this.#disk.remove(kept.path)
    }
  }

  async #opened<T>(path: string, use: (file: File) => Promise<T>): Promise<T> {
    const file = await this.#disk.open(path)
    try {
      return await use(file)
    } finally {
      await file.close()
    }
  }

  async *#chunks(path: string): AsyncGenerator<Uint8Array, void> {
    const file = await this.#disk.open(path)
    try {
      const end = (await file.size()) - snapshotTrailerBytes
      const format = readSnapshotHeader(await file.read(0, snapshotHeaderBytes))
      if (format === undefined) throw corrupt(path, 0)
      if (format !== snapshotFormat) throw unknown(path, format)
      let at = snapshotHeaderBytes
      while (at < end) {
        const head = asBuffer(await file.read(at, chunkHeaderBytes))
        const length = head.length < chunkHeaderBytes ? Infinity : head.readUInt32LE(0)
        if (at + chunkHeaderBytes + length > end) throw corrupt(path, at)
        const chunk = await file.read(at + chunkHeaderBytes, length)
        if (chunk.length !== length || crc32(chunk) !== head.readUInt32LE(4)) throw corrupt(path, at)
        yield chunk
        at += chunkHeaderBytes + length
      }
    } finally {
      await file.close()
    }
  }
}

async function write(
  file: File,
  index: number,
  chunks: AsyncIterable<Uint8Array>,
  hash: () => string,
): Promise<SnapshotName> {
  await file.write([writeSnapshotHeader()], 0)
  let at = snapshotHeaderBytes
  let bytes = 0
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue
    await file.write([writeChunkHeader(chunk), chunk], at)
    at += chunkHeaderBytes + chunk.length
    bytes += chunk.length
  }
  const name = { index, hash: hash() }
  assert(/^[\x21-\x7e]+$/.test(name.hash) && name.hash.length <= hashLengthMax, 'a hash is short and plain text')
  // The chunks first: a trailer must never be durable before what it vouches for.
  await file.sync()
  await file.write([writeTrailer(name, bytes)], at)
  await file.sync()
  return name
}

async function nameIn(file: File): Promise<SnapshotName | undefined> {
  const size = await file.size()
  const trailer = readTrailer(await file.read(Math.max(0, size - snapshotTrailerBytes), snapshotTrailerBytes))
  return trailer?.name
}

function isSame(a: SnapshotName, b: SnapshotName): boolean {
  return a.index === b.index && a.hash === b.hash
}

function corrupt(path: string, offset: number): PlenumError {
  return new PlenumError(
    'SNAPSHOT_CORRUPT',
    `The snapshot ${path} is damaged at byte ${offset}. Use an older snapshot and replay the journal from there.`,
    { details: { file: path, offset } },
  )
}

function unknown(path: string, found: number): PlenumError {
  return new PlenumError(
    'FORMAT_UNKNOWN',
    `The snapshot ${path} has format ${found}; this version of Plenum reads format ${snapshotFormat}.`,
    { details: { file: path, found, known: snapshotFormat } },
  )
}
