import { keyOf, type KeyFields, type Table } from '../space/index.ts'

/** One text for an entry: its type, id and route. */
export function entryName(table: Table, key: KeyFields): string {
  const parts = Object.values(keyOf(table, key)).map((part) => [typeof part, String(part)])
  return JSON.stringify([table.layout.name, ...parts])
}
