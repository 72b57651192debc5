import { assert } from '../../kernel/index.ts'
import type { Random } from '../../runtime/index.ts'

/** One item of a list, each as likely as the others. */
export function pick<T>(random: Random, items: readonly T[]): T {
  assert(items.length > 0, 'something can be picked')
  return items[random.integer(items.length)]!
}

/** One name of a table of weights; a weight of 0 is never picked. */
export function pickWeighted<Name extends string>(random: Random, weights: Readonly<Record<Name, number>>): Name {
  const names = Object.entries<number>(weights).filter((entry): entry is [Name, number] => entry[1] > 0)
  let left = random.next() * names.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [name, weight] of names) {
    left -= weight
    if (left < 0) return name
  }
  assert(names.length > 0, 'something can be picked')
  return names.at(-1)![0]
}

/** True in a share `rate` of all cases. */
export function chance(random: Random, rate: number): boolean {
  return random.next() < rate
}

/** A number from 0 to `count` - 1; with `heat` 1 all are as likely, the larger it is the more often the first come. */
export function hotNumber(random: Random, count: number, heat: number): number {
  return Math.min(count - 1, Math.floor(count * random.next() ** heat))
}
