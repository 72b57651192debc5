// The same draws on every machine: a seeded generator, and the two distributions that the benchmarks use.

/** Uniform over the items, or Zipf with an exponent: item of rank r is drawn with a weight of r to the minus `exponent`. */
export type Distribution = { readonly kind: 'uniform' } | { readonly kind: 'zipf'; readonly exponent: number }

export const uniform: Distribution = { kind: 'uniform' }

/** A short name for tables. */
export function distributionName(distribution: Distribution): string {
  return distribution.kind === 'uniform' ? 'uniform' : `Zipf ${distribution.exponent}`
}

/** Marsaglia's xorshift32: integers from 1 to 2^32 - 1, the same from the same seed. */
export class Draws {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return Math.floor(this.share() * below)
  }

  /** A number in [0, 1). */
  share(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) / 4_294_967_296
  }

  /** `count` items out of [0, items). The frequent ones of a Zipf distribution lie scattered, not side by side. */
  many(items: number, count: number, distribution: Distribution): Int32Array {
    const drawn = new Int32Array(count)
    if (distribution.kind === 'uniform') {
      for (let at = 0; at < count; at++) drawn[at] = this.below(items)
      return drawn
    }
    const upTo = cumulatedWeights(items, distribution.exponent)
    const stride = strideFor(items)
    for (let at = 0; at < count; at++) drawn[at] = (rankAt(upTo, this.share()) * stride) % items
    return drawn
  }
}

function cumulatedWeights(items: number, exponent: number): Float64Array {
  const upTo = new Float64Array(items)
  let sum = 0
  for (let rank = 0; rank < items; rank++) upTo[rank] = sum += (rank + 1) ** -exponent
  for (let rank = 0; rank < items; rank++) upTo[rank]! /= sum
  return upTo
}

/** The first rank whose cumulated weight is above the share. */
function rankAt(upTo: Float64Array, share: number): number {
  let low = 0
  for (let high = upTo.length - 1; low < high;) {
    const middle = (low + high) >>> 1
    if (upTo[middle]! > share) high = middle
    else low = middle + 1
  }
  return low
}

/** A step that visits every item once before it repeats: it has no factor in common with their number. */
function strideFor(items: number): number {
  let stride = Math.max(1, Math.floor(items * 0.618))
  while (commonFactor(stride, items) !== 1) stride += 1
  return stride
}

function commonFactor(a: number, b: number): number {
  return b === 0 ? a : commonFactor(b, a % b)
}
