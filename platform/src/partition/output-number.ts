/** The number of an output, or a place before the first of a record (offset -1). */
export interface OutputNumber {
  readonly index: number
  readonly offset: number
}

/** Before all numbers. */
export const noNumber: OutputNumber = { index: 0, offset: -1 }

/** Whether one number comes before another. */
export function isBefore(a: OutputNumber, b: OutputNumber): boolean {
  return a.index < b.index || (a.index === b.index && a.offset < b.offset)
}

/** Where in a list that is sorted by number, from a place on, the first one after a number stands. */
export function placeAfter(list: readonly OutputNumber[], number: OutputNumber, from = 0): number {
  let low = from
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(number, list[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
