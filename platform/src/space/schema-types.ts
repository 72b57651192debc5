import type { Schema } from './values.ts'

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n

/** A schema that describes itself as JSON Schema, so that it needs no library (SC4). */
export interface DescribedSchema<V> extends Schema<V> {
  readonly '~standard': Schema<V>['~standard'] & {
    readonly jsonSchema: {
      readonly input: () => Record<string, unknown>
      readonly output: () => Record<string, unknown>
    }
  }
}

/** A whole number of 64 bits with sign, kept as a bigint: -2^63 to 2^63 - 1. */
export function int64(): DescribedSchema<bigint> {
  return described(
    { type: 'integer', format: 'int64', minimum: Number(int64Min), maximum: Number(int64Max) },
    (value) =>
      typeof value === 'bigint' && value >= int64Min && value <= int64Max
        ? { value }
        : { issues: [{ message: `expected a bigint from ${int64Min} to ${int64Max}` }] },
  )
}

/** Bytes, kept as a Uint8Array that nobody else holds: copied when they are written and when they leave the process. */
export function bytes(): DescribedSchema<Uint8Array> {
  return described({ type: 'string', format: 'bytes', contentEncoding: 'base64' }, (value) =>
    value instanceof Uint8Array ? { value: new Uint8Array(value) } : { issues: [{ message: 'expected a Uint8Array' }] },
  )
}

type Result<V> = { readonly value: V } | { readonly issues: readonly { readonly message: string }[] }

/** A schema from its description and its check. */
export function described<V>(
  json: Readonly<Record<string, unknown>>,
  validate: (value: unknown) => Result<V>,
): DescribedSchema<V> {
  const describe = () => ({ ...json })
  return Object.freeze({
    '~standard': Object.freeze({
      version: 1 as const,
      vendor: 'plenum',
      validate,
      jsonSchema: Object.freeze({ input: describe, output: describe }),
    }),
  })
}
