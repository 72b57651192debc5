import { ByteWriter } from '../codec/index.ts'
import { StateHash, writeRow } from './state-hash.ts'
import type { Row } from './row.ts'
import type { Table } from './table.ts'

/**
 * A copy-on-write walk over the state of one instant (JR7). Rows that change before the walk comes to them are kept as
 * they were; rows that were added later carry the walk's number from the start and are passed over. Values are
 * immutable, so keeping one is a reference.
 */
export class SnapshotWalk {
  readonly number: number
  readonly change: number
  readonly time: number
  readonly hash = new StateHash()
  readonly #tables: readonly Table[]
  readonly #writer = new ByteWriter(64 << 10)
  readonly #pending: Generator<readonly [Table, Row]>
  #rows = 0

  constructor(number: number, tables: readonly Table[], change: number, time: number) {
    this.number = number
    this.#tables = [...tables]
    this.change = change
    this.time = time
    this.hash.addCounters(change, time)
    this.#pending = this.#walk()
  }

  /** Rows taken so far. */
  get rows(): number {
    return this.#rows
  }

  /** Takes a row as it is, unless the walk has it already; called before it changes. */
  keep(table: Table, row: Row): void {
    if (row.walk === this.number || table.isVolatile) return
    row.walk = this.number
    const start = this.#writer.at
    writeRow(this.#writer, table, row)
    this.hash.addRow(this.#writer.bytes, start, this.#writer.at)
    this.#rows += 1
  }

  /** Goes on until `enough` says so; false when the walk is complete. */
  advance(enough: (bytes: number) => boolean): boolean {
    while (!enough(this.#writer.at)) {
      const next = this.#pending.next()
      if (next.done) return false
      this.keep(next.value[0], next.value[1])
    }
    return true
  }

  /** Hands over the bytes written since the last call. */
  takeBytes(): Uint8Array {
    const bytes = this.#writer.written().slice()
    this.#writer.at = 0
    return bytes
  }

  *#walk(): Generator<readonly [Table, Row]> {
    for (const table of this.#tables) {
      if (!table.isVolatile) for (const row of table.rows()) yield [table, row]
    }
  }
}
