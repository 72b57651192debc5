import { PlenumError } from 'plenum'
import { checkTransactions, TransactionSteps, type MicroOperation } from 'plenum/testing'
import { List } from './unit.ts'
import { drawTurn, type Workload } from './workload.ts'

/** Operations for each list: about as many values are appended to it. */
const operationsPerList = 60

/** Transactions over lists, in the format of Elle's list-append: strictly serializable. */
export const txn: Workload = {
  name: 'txn',
  about: 'transactions that append to lists and read them, over all partitions; strictly serializable',
  draw: (random, size) => {
    const steps = new TransactionSteps(random, { lists: 1 + Math.ceil(size.operations / operationsPerList), sets: 0 })
    const turns = Array.from({ length: size.operations }, () => {
      return drawTurn(random, size, { f: 'txn', value: steps.next().steps })
    })
    const reads = steps.lists.map((key) => ['r', key, null] as const)
    return { opening: [], turns, closing: [{ f: 'txn', value: reads }] }
  },
  perform: async ({ space }, { f, value }, { timeout }) => {
    if (f !== 'txn') throw new PlenumError('USAGE', `A history of transactions knows no '${f}'.`)
    const steps = value as readonly MicroOperation[]
    const done = await space.transaction(
      async (tx) => {
        const all: MicroOperation[] = []
        for (const step of steps) {
          const [kind, id, item] = step
          const items = (await tx.get(List, { id }))?.items
          if (kind === 'r') all.push([kind, id, items ?? []])
          else {
            if (items === undefined) await tx.insert(List, { id, items: [Number(item)] })
            else await tx.change(List, { id }, { push: { items: Number(item) } })
            all.push(step)
          }
        }
        return all
      },
      { timeout },
    )
    return { value: done }
  },
  check: (history) => {
    const result = checkTransactions(history)
    if (!result.ok) return result
    const { transactions, unknown, conflicts, reads, edges } = result
    return { ok: true, counts: { transactions, 'of unknown outcome': unknown, conflicts, reads, edges } }
  },
}
