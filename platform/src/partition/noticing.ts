import type { Row, Table } from '../space/index.ts'

/** Is told of a row that was written and is there. */
export type Noticing = (table: Table, row: Row) => void

/** Who tells both; undefined where nobody is to be told. */
export function both(one: Noticing | undefined, other: Noticing | undefined): Noticing | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return (table, row) => {
    one(table, row)
    other(table, row)
  }
}
