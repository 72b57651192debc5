/** Whole numbers as ranges, each from one to another and both included, in order: [1, 3, 7, 7] holds 1, 2, 3 and 7. */
export type NumberSet = readonly number[]

/** True if a set has this number. */
export function hasNumber(set: NumberSet, number: number): boolean {
  for (let at = 0; at < set.length; at += 2) {
    if (number < set[at]!) return false
    if (number <= set[at + 1]!) return true
  }
  return false
}

/** The set with one number more. */
export function withNumber(set: NumberSet, number: number): NumberSet {
  const added: number[] = []
  let from = number
  let to = number
  let isIn = false
  for (let at = 0; at < set.length; at += 2) {
    const [first, last] = [set[at]!, set[at + 1]!]
    if (last < from - 1) {
      added.push(first, last)
      continue
    }
    if (first > to + 1 && !isIn) {
      added.push(from, to)
      isIn = true
    }
    if (isIn) added.push(first, last)
    else [from, to] = [Math.min(from, first), Math.max(to, last)]
  }
  if (!isIn) added.push(from, to)
  return added
}

/** The set without the numbers below `lowest`. */
export function fromNumber(set: NumberSet, lowest: number): NumberSet {
  const left: number[] = []
  for (let at = 0; at < set.length; at += 2) {
    if (set[at + 1]! >= lowest) left.push(Math.max(set[at]!, lowest), set[at + 1]!)
  }
  return left
}
