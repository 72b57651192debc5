// What a snapshot has of a projection (UN6, JR7).
//
// Owns its blocks: the state first, encoded at the index of the snapshot; then what is to be handed on, which nobody
// changes, encoded while the partition serves; and the hash of all that last.
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import { StateHash, type KeptChange, type ProjectedSend, type StoredValue } from '../space/index.ts'
import type { OutputNumber } from './output-number.ts'

/** How a projection stands. */
export interface ProjectionState {
  /** Of the newest output, and of the newest send or kept change. */
  readonly last: OutputNumber
  readonly lastSend: OutputNumber
  readonly dropped: number
  readonly begunWith: number
  /** The unit's own, as plain data. */
  readonly state: unknown
  readonly pending: readonly ProjectedSend[]
  readonly kept: readonly KeptChange[]
}

/** What the first block says: how many of what follows are sends, too. */
type FirstBlock = Omit<ProjectionState, 'pending' | 'kept'> & { readonly sends: number }

export class SavedProjection {
  readonly name: string
  readonly #hash = new StateHash()
  readonly #items: readonly (ProjectedSend | KeptChange)[]
  #at = 0
  #first: Uint8Array | undefined
  #isEnded = false

  constructor(name: string, { pending, kept, ...rest }: ProjectionState) {
    this.name = name
    this.#items = [...pending, ...kept]
    this.#first = encoded({ ...rest, sends: pending.length } satisfies FirstBlock)
    this.#hash.addRow(this.#first, 0, this.#first.length)
  }

  /** The next block, which ends where `isEnough` says so; undefined after the last. */
  next(isEnough: (bytes: number) => boolean): Uint8Array | undefined {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) return first
    if (this.#at < this.#items.length) return this.#nextItems(isEnough)
    if (this.#isEnded) return undefined
    this.#isEnded = true
    return encoded(this.#hash.toString())
  }

  /** Hash of all of it, 16 hexadecimal digits; what is not encoded yet is. */
  get hash(): string {
    while (this.#at < this.#items.length) this.#nextItems((bytes) => bytes >= 1 << 20)
    return this.#hash.toString()
  }

  #nextItems(isEnough: (bytes: number) => boolean): Uint8Array {
    const writer = new ByteWriter(4_096)
    do {
      const start = writer.at
      writeItem(writer, this.#items[this.#at++]!)
      this.#hash.addRow(writer.bytes, start, writer.at)
    } while (this.#at < this.#items.length && !isEnough(writer.at))
    return writer.written()
  }
}

/** The hashes of saved states, by projection. */
export type ProjectionHashes = Readonly<Record<string, string>>

/** The hashes of what is saved of projections. */
export function hashesOf(saved: readonly SavedProjection[]): ProjectionHashes {
  return Object.fromEntries(saved.map(({ name, hash }) => [name, hash]))
}

/** Puts together again what was saved of a projection, block by block. */
export class ProjectionReader {
  readonly #hash = new StateHash()
  #first: FirstBlock | undefined
  readonly #items: unknown[] = []

  /** Takes the next block; what was saved, if that was the last one. Throws where it is damaged. */
  add(block: Uint8Array): ProjectionState | undefined {
    const reader = new ByteReader(block)
    if (this.#first === undefined) {
      this.#first = readValue(reader) as FirstBlock
      this.#hash.addRow(block, 0, block.length)
      return undefined
    }
    while (!reader.done) {
      const start = reader.at
      const item = readItem(reader)
      if (typeof item === 'string') return this.#end(this.#first, item)
      this.#items.push(item)
      this.#hash.addRow(block, start, reader.at)
    }
    return undefined
  }

  #end({ sends, ...rest }: FirstBlock, hash: string): ProjectionState {
    const found = this.#hash.toString()
    if (found !== hash) throw new Error(`the state of a projection has the hash ${found} instead of ${hash}`)
    const pending = this.#items.slice(0, sends) as ProjectedSend[]
    const kept = this.#items.slice(sends) as KeptChange[]
    return { ...rest, pending, kept }
  }
}

/** Writes messages and entries apart from what is said of them: no deeper than where they were admitted. */
function writeItem(writer: ByteWriter, item: ProjectedSend | KeptChange): void {
  if ('message' in item) {
    const { message, ...head } = item
    writeValue(writer, { ...head, kind: 'send' })
    writeValue(writer, message)
    return
  }
  const { change, ...head } = item
  const { entry, ...rest } = change
  const { previous, ...said } = 'previous' in rest ? rest : { ...rest, previous: undefined }
  writeValue(writer, { ...head, ...said })
  writeEntry(writer, entry)
  if (previous !== undefined) writeEntry(writer, previous)
}

/** Each field by itself, as in a record: an entry may be as deep as they may, and one more. */
function writeEntry(writer: ByteWriter, entry: StoredValue): void {
  const names = Object.keys(entry)
  writeValue(writer, names)
  for (const name of names) writeValue(writer, entry[name])
}

function readEntry(reader: ByteReader): StoredValue {
  const names = readValue(reader) as readonly string[]
  return Object.freeze(Object.fromEntries(names.map((name) => [name, readValue(reader)])))
}

/** Reads what `writeItem` wrote, or the hash behind all items. */
function readItem(reader: ByteReader): ProjectedSend | KeptChange | string {
  const head = readValue(reader) as string | { readonly kind: string; readonly [field: string]: unknown }
  if (typeof head === 'string') return head
  const { kind, type, reason, ...rest } = head
  if (kind === 'send') return { ...rest, message: readValue(reader) } as unknown as ProjectedSend
  const said = reason === undefined ? {} : { reason }
  const entry = readEntry(reader)
  const more = kind === 'changed' ? { previous: readEntry(reader) } : {}
  return { ...rest, change: { type, kind, ...said, entry, ...more } } as unknown as KeptChange
}

function encoded(value: unknown): Uint8Array {
  const writer = new ByteWriter(256)
  writeValue(writer, value)
  return writer.written()
}
