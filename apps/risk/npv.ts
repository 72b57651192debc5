import { ExactSum } from './exact-sum.ts'

/**
 * The net present value of yearly cash flows, in the flows' unit: flow n falls due after n years and is divided by
 * (1 + rate)^n, computed by Horner's rule. `ratePercent` is a flat yearly rate with yearly compounding, in percent.
 * Whole years only, so no day count enters.
 */
export function presentValue(ratePercent: number, flows: readonly number[]): number {
  const discount = 1 / (1 + ratePercent / 100)
  let value = 0
  for (let year = flows.length - 1; year >= 0; year--) value = value * discount + (flows[year] ?? 0)
  return value
}

/** What valuation needs to know of a trade: `flows` in US dollars at years 0, 1, 2 and so on. */
export interface Valued {
  readonly id: number
  readonly book: number
  readonly flows: readonly number[]
}

/** What one partition found out about one book: number of trades, sum of their ids, and the exact sum of their NPVs. */
export interface BookPart {
  readonly book: number
  readonly trades: number
  readonly ids: number
  /** The parts of an `ExactSum`, in US dollars. */
  readonly npv: readonly number[]
}

/** One book of the whole space: `npv` in US dollars, rounded once from the exact sum over the book's trades. */
export interface BookTotal {
  readonly book: number
  readonly trades: number
  readonly ids: number
  readonly npv: number
}

/**
 * The map step: values each trade at `ratePercent` and sums per book, books in ascending order.
 * Each trade's NPV is a double; their sums are exact, so the totals are the same bits for any partitioning.
 */
export function valueBooks(ratePercent: number, trades: Iterable<Valued>): readonly BookPart[] {
  const books = new Map<number, { trades: number; ids: number; sum: ExactSum }>()
  for (const trade of trades) {
    let book = books.get(trade.book)
    if (book === undefined) {
      book = { trades: 0, ids: 0, sum: new ExactSum() }
      books.set(trade.book, book)
    }
    book.trades += 1
    book.ids += trade.id
    book.sum.add(presentValue(ratePercent, trade.flows))
  }
  return [...books]
    .map(([book, { trades, ids, sum }]) => ({ book, trades, ids, npv: sum.parts() }))
    .toSorted((a, b) => a.book - b.book)
}

/** The reduce step: merges two partial results, exactly, so that the order of merging does not matter. */
export function mergeBooks(left: readonly BookPart[], right: readonly BookPart[]): readonly BookPart[] {
  const merged = new Map(left.map((part) => [part.book, part]))
  for (const part of right) {
    const other = merged.get(part.book)
    merged.set(part.book, other === undefined ? part : mergeBook(other, part))
  }
  return [...merged.values()].toSorted((a, b) => a.book - b.book)
}

function mergeBook(left: BookPart, right: BookPart): BookPart {
  const sum = new ExactSum()
  sum.addParts(left.npv)
  sum.addParts(right.npv)
  return { book: left.book, trades: left.trades + right.trades, ids: left.ids + right.ids, npv: sum.parts() }
}

/** The books of a merged result, each sum rounded once, and the firm: the sum over all books, rounded once as well. */
export function totalBooks(parts: readonly BookPart[]): { readonly books: readonly BookTotal[]; readonly npv: number } {
  const firm = new ExactSum()
  const books = parts.map(({ book, trades, ids, npv }) => {
    const sum = new ExactSum()
    sum.addParts(npv)
    firm.addParts(npv)
    return { book, trades, ids, npv: sum.value() }
  })
  return { books, npv: firm.value() }
}
