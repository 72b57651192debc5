/** Share of the intervals that are to hold the true median. */
const confidence = 0.95

/** The bounds between which the median lies with 95 % confidence or more. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/**
 * The interval of a median from its samples alone, whatever their distribution: each sample lies above the true median as
 * a coin falls, so that two places of the sorted samples hold it between them. The ends where there are too few.
 *
 * The method: W. J. Conover, Practical Nonparametric Statistics, 3rd edition, section 3.2.
 */
export function medianInterval(samples: readonly number[]): Interval {
  const sorted = samples.toSorted((left, right) => left - right)
  const count = sorted.length
  let below = 0
  // Chance that at most `below` of the samples lie under the median.
  let chance = 0.5 ** count
  for (let term = chance; ; below++) {
    term = (term * (count - below)) / (below + 1)
    if (chance + term > (1 - confidence) / 2) break
    chance += term
  }
  return { from: sorted[below] ?? NaN, to: sorted[count - 1 - below] ?? NaN }
}
