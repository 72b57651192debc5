import { ByteWriter } from '../codec/index.ts'
import type { Machine } from './machine.ts'
import { StateHash, writeRow } from './state-hash.ts'

/** The hash of a machine's whole journaled state, by a full walk. */
export function hashState(machine: Machine): string {
  const hash = new StateHash()
  const writer = new ByteWriter(1024)
  hash.addCounters(machine.change, machine.time)
  for (const table of machine.tables) {
    if (table.isVolatile) continue
    for (const row of table.rows()) {
      writer.at = 0
      writeRow(writer, table, row)
      hash.addRow(writer.bytes, 0, writer.at)
    }
  }
  return hash.toString()
}
