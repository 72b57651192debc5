import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { xxh32 } from '../kernel/index.ts'
import { RouteHasher, slotCount, slotOf, type Route } from './route.ts'

/** A route as JSON can hold it: the kind of each field stands beside its value. */
type Field =
  | { readonly string: string }
  | { readonly number: number | '-0' }
  | { readonly bigint: string }
  | { readonly boolean: boolean }
  | { readonly null: true }
type Written = Field | { readonly list: readonly Field[] }

interface Vectors {
  readonly xxh32: readonly { readonly text: string; readonly hash: string }[]
  readonly routes: readonly {
    readonly name: string
    readonly route: Written
    readonly bytes: string
    readonly hash: string
    readonly slot: number
  }[]
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('route-vectors.json', import.meta.url), 'utf8'))

function fieldOf(field: Field): Exclude<Route, readonly unknown[]> {
  if ('string' in field) return field.string
  if ('number' in field) return field.number === '-0' ? -0 : field.number
  if ('bigint' in field) return BigInt(field.bigint)
  return 'boolean' in field ? field.boolean : null
}

const routeOf = (route: Written): Route => ('list' in route ? route.list.map(fieldOf) : fieldOf(route))
const hexOf = (hash: number): string => hash.toString(16).padStart(8, '0')

describe('slots', () => {
  test('[ID3] the published hashes of XXH32 with seed 0', () => {
    const published = {
      '': '02cc5d05',
      a: '550d7456',
      abc: '32d153ff',
      'Nobody inspects the spammish repetition': 'e2293b2f',
    }
    const encoder = new TextEncoder()
    for (const [text, hash] of Object.entries(published)) expect(hexOf(xxh32(encoder.encode(text)))).toBe(hash)
    for (const { text, hash } of vectors.xxh32) expect(hexOf(xxh32(encoder.encode(text)))).toBe(hash)
    expect(vectors.xxh32.length).toBeGreaterThan(5)
  })

  test.each(vectors.routes)('[ID3] the vector of $name', ({ route, bytes, hash, slot }) => {
    const hasher = new RouteHasher()
    const written = hasher.bytesOf(routeOf(route))
    expect(Buffer.from(written).toString('hex')).toBe(bytes)
    expect(hexOf(xxh32(written))).toBe(hash)
    expect(hasher.slotOf(routeOf(route))).toBe(slot)
    expect(Number.parseInt(hash, 16) % slotCount).toBe(slot)
  })

  test('[ID3] texts that look alike have one slot; values of different kinds have not', () => {
    expect(slotOf('caf\u00e9')).toBe(slotOf('cafe\u0301'))
    expect(slotOf(-0)).toBe(slotOf(0))
    const hasher = new RouteHasher()
    const all = [1, 1n, '1', true, null, ['1'], [1, 1], ['a', 'bc'], ['ab', 'c']].map((route) =>
      Buffer.from(hasher.bytesOf(route)).toString('hex'),
    )
    expect(new Set(all).size).toBe(all.length)
  })

  test.each([
    NaN,
    Infinity,
    -Infinity,
    '\ud800',
    'x\udc00',
    undefined,
    {},
    new Date(0),
    [['nested']],
    ['a', undefined],
  ])('[ID3] %o is ROUTE_INVALID', (route) => {
    expect(() => new RouteHasher().slotOf(route)).toThrow(expect.objectContaining({ code: 'ROUTE_INVALID' }))
  })

  test('[ID3] one hasher gives the same slot as a new one, whatever it hashed before', () => {
    const scalar = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.bigInt(),
    )
    const route = fc.oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 4 }))
    const hasher = new RouteHasher()
    fc.assert(
      fc.property(route, (one) => {
        const slot = hasher.slotOf(one)
        expect(slot).toBe(slotOf(one))
        expect(slot).toBeGreaterThanOrEqual(0)
        expect(slot).toBeLessThan(slotCount)
      }),
    )
  })
})
