import type { SnapshotName } from '../journal.ts'

/** Snapshots in the memory of this process, for the engines that have no better place. */
export class MemorySnapshots {
  readonly #kept = new Map<string, { readonly name: SnapshotName; readonly chunks: readonly Uint8Array[] }>()

  /** Keeps copies of the chunks; nothing is kept if they end with an error. */
  async save(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName> {
    const copies: Uint8Array[] = []
    for await (const chunk of chunks) copies.push(chunk.slice())
    const name = { index, hash: hash() }
    this.#kept.set(key(name), { name, chunks: copies })
    return name
  }

  load(name: SnapshotName): AsyncIterable<Uint8Array> | undefined {
    const kept = this.#kept.get(key(name))
    return kept === undefined ? undefined : replay(kept.chunks)
  }

  /** Newest index first. */
  list(): readonly SnapshotName[] {
    return [...this.#kept.values()].map(({ name }) => name).toSorted((a, b) => b.index - a.index)
  }

  remove(name: SnapshotName): void {
    this.#kept.delete(key(name))
  }
}

async function* replay(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* chunks
}

function key(name: SnapshotName): string {
  return `${name.index}-${name.hash}`
}
