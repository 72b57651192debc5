import { hash } from 'node:crypto'
import type { Random } from '../ports.ts'

const two32 = 2 ** 32
const two53 = 2 ** 53

/**
 * A stream of numbers that a seed decides: xoshiro128**, 32 bits a step.
 * Source: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", 2018, https://prng.di.unimi.it
 */
export class SeededRandom implements Random {
  /** What the stream was made from: the seed and the labels of all forks on the way. */
  readonly name: string
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(name: string, state: Uint32Array = stateOf(name)) {
    this.name = name
    this.#a = state[0]! | 0
    this.#b = state[1]! | 0
    this.#c = state[2]! | 0
    this.#d = state[3]! | 0
  }

  /**
   * A stream of its own, which depends on this one's name and the label only: what was drawn here before changes
   * nothing there, so that one more draw in one place does not change every other place.
   */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.name}/${label}`)
  }

  /** The next 32 bits, unsigned. */
  word(): number {
    const b = this.#b
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    this.#c ^= this.#a
    this.#d ^= b
    this.#b = b ^ this.#c
    this.#a ^= this.#d
    this.#c ^= b << 9
    this.#d = rotate(this.#d, 11)
    return scrambled >>> 0
  }

  next(): number {
    return ((this.word() >>> 5) * 67_108_864 + (this.word() >>> 6)) / two53
  }

  integer(below: number): number {
    if (below > two32) return Math.floor(this.next() * below)
    // Words beyond the last whole multiple would make the small numbers more likely.
    const usable = two32 - (two32 % below)
    for (;;) {
      const word = this.word()
      if (word < usable) return word % below
    }
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at++) bytes[at] = this.word() >>> 24
    return bytes
  }

  /** True in a share `rate` of all cases; draws nothing where the rate is 0, so that a fault left out costs nothing. */
  chance(rate: number): boolean {
    return rate > 0 && this.next() < rate
  }

  /** A number from `min` up to, and without, `max`. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** A number with an exponential distribution: waiting times of what happens at random. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  /** One of the items; there has to be one. */
  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.integer(items.length)]!
  }
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}

/** 128 bits from the name by SHA-256, whose prefix is never all zeros as far as anybody knows. */
function stateOf(name: string): Uint32Array {
  const bytes = hash('sha256', name, 'buffer')
  return Uint32Array.from({ length: 4 }, (_, at) => bytes.readUInt32LE(at * 4))
}
