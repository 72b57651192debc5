/**
 * A sum of doubles without rounding: it keeps a list of doubles of growing size that do not overlap and whose
 * mathematical sum is exactly what was added (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997).
 * `value()` rounds once, at the end, so that it depends on the numbers only, never on their order or on how they
 * were spread over partitions.
 */
export class ExactSum {
  readonly #parts: number[] = []

  /** Adds one finite number, exactly; anything else is a RangeError. */
  add(addend: number): void {
    if (!Number.isFinite(addend)) throw new RangeError(`only finite numbers can be summed, not ${addend}`)
    const parts = this.#parts
    let kept = 0
    let carry = addend
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] ?? 0
      const high = carry + part
      // What the addition above rounded away; this is exact because the larger operand is subtracted first.
      const low = Math.abs(carry) < Math.abs(part) ? carry - (high - part) : part - (high - carry)
      if (low !== 0) parts[kept++] = low
      carry = high
    }
    parts.length = kept
    if (carry !== 0 || kept === 0) parts.push(carry)
  }

  /** Adds everything that another sum holds, given by its parts, exactly. */
  addParts(parts: readonly number[]): void {
    for (const part of parts) this.add(part)
  }

  /** The sum as plain data, for another `ExactSum` to take up; a few doubles. */
  parts(): readonly number[] {
    return [...this.#parts]
  }

  /** The double nearest to the exact sum, ties to even; 0 if nothing was added. */
  value(): number {
    const parts = this.#parts
    let index = parts.length - 1
    let high = parts[index] ?? 0
    let low = 0
    while (index > 0 && low === 0) {
      index--
      const before = high
      const part = parts[index] ?? 0
      high = before + part
      low = part - (high - before)
    }
    // `low` may be exactly half of the last place; then the sign of the next part decides, which the addition did not see.
    const next = index > 0 ? (parts[index - 1] ?? 0) : 0
    if ((low < 0 && next < 0) || (low > 0 && next > 0)) {
      const away = high + low * 2
      if (away - high === low * 2) return away
    }
    return high
  }
}
