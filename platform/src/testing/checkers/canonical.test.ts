import { expect, test } from 'vitest'
import { SeededRandom } from '../../runtime/simulated/index.ts'
import { canonicalText, jsonOf, sameValue } from './canonical.ts'

/** The same, as simply as it can be said. */
function naiveJson(value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: value.toString() }
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') }
  if (Array.isArray(value)) return value.map(naiveJson)
  const fields = Object.entries(value).filter(([, item]) => item !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, item]) => [name, naiveJson(item)]))
}

const naiveText = (value: unknown): string => JSON.stringify(naiveJson(value))

const scalars = [
  0,
  -0,
  1,
  1.5,
  NaN,
  Infinity,
  '',
  '1',
  'null',
  '"',
  true,
  false,
  'true',
  null,
  undefined,
  1n,
  0n,
] as const
const names = ['b', 'a', '10', '9', 'ä', '__proto__', 'constructor', 'B'] as const

function drawValue(random: SeededRandom, depth: number): unknown {
  const kind = random.integer(depth > 0 ? 6 : 3)
  if (kind < 3) return random.pick(scalars)
  if (kind === 3) return random.bytes(random.integer(3))
  if (kind === 4) return Array.from({ length: random.integer(3) }, () => drawValue(random, depth - 1))
  const fields = Array.from(
    { length: random.integer(4) },
    () => [random.pick(names), drawValue(random, depth - 1)] as const,
  )
  return Object.fromEntries(fields)
}

test('canonical texts and equality = those of the naive twin', () => {
  const random = new SeededRandom('canonical')
  let same = 0
  for (let round = 0; round < 5_000; round++) {
    const [a, b] = [drawValue(random, 2), drawValue(random, 2)]
    expect(canonicalText(a)).toBe(naiveText(a))
    expect(jsonOf(a)).toEqual(naiveJson(a))
    expect(sameValue(a, b)).toBe(naiveText(a) === naiveText(b))
    if (sameValue(a, b)) same += 1
  }
  expect(same).toBeGreaterThan(100)
})
