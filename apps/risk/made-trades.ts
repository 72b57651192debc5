import type { Valued } from './npv.ts'

const unitFlows = [-100, 20, 40, 60, 80, 100] as const

/** Trade `id` of the made portfolio: cash flows id × (−100, 20, 40, 60, 80, 100) US dollars at years 0 to 5, book id mod 4. */
export function madeTrade(id: number): Valued {
  // Adding zero turns the −0 of trade 0 into 0, which is what a database gives back.
  return { id, book: id % 4, flows: unitFlows.map((flow) => flow * id + 0) }
}

/** The made portfolio: trades 0 to `count` − 1, the same on every machine. */
export function madeTrades(count: number): readonly Valued[] {
  return Array.from({ length: count }, (_, id) => madeTrade(id))
}
