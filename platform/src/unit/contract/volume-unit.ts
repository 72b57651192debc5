import { z } from 'zod'
import { entry, type AnyEntry } from '../../space/index.ts'
import { handler, projection, task, unit, type Projection } from '../index.ts'

export const Order = entry('order', z.object({ id: z.string(), symbol: z.string(), quantity: z.int() }), {
  id: 'id',
  route: 'id',
})

/** The quantity of all orders by symbol, folded from their changes; puts out each new total. */
export const volume = projection({
  of: [Order],
  create: () => new Map<string, number>(),
  apply(state, change, { emit }) {
    const add = (symbol: string, quantity: number): void => {
      const total = (state.get(symbol) ?? 0) + quantity
      if (total === 0) state.delete(symbol)
      else state.set(symbol, total)
    }
    if (change.kind === 'changed') add(change.previous.symbol, -change.previous.quantity)
    add(change.entry.symbol, change.kind === 'removed' ? -change.entry.quantity : change.entry.quantity)
    emit(change.entry.symbol, { total: state.get(change.entry.symbol) ?? 0 })
  },
  save: (state) => [...state].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  load: (saved: [string, number][]) => new Map(saved),
})

/** An exchange whose volumes are what `projected` makes of its orders. */
export function exchangeWith<P extends Projection<ReadonlyMap<string, number>, AnyEntry>>(projected: P) {
  return unit(
    'exchange',
    { entries: [Order] },
    {
      handlers: {
        place: handler(
          { input: z.object({ id: z.string(), symbol: z.string(), quantity: z.int() }), route: 'id' },
          (order, { partition }) => partition.write(Order, order),
        ),
        fail: handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, { partition }) => {
          partition.write(Order, { id, symbol: 'NONE', quantity: 1 })
          throw new Error('nothing of this happens')
        }),
      },
      projections: { volume: projected },
      tasks: {
        volumes: task({ input: z.object({}) }, (_, { state }) => Object.fromEntries(state(projected)), joined),
      },
    },
  )
}

export const exchange = exchangeWith(volume)

/** The sums of two sums. */
function joined(left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>) {
  const sum: Record<string, number> = { ...left }
  for (const [symbol, total] of Object.entries(right)) sum[symbol] = (sum[symbol] ?? 0) + total
  return sum
}
