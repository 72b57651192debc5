import { isPlenumError, PlenumError, type ErrorCode } from '../kernel/index.ts'
import { plainResult } from './plain-result.ts'

/** Joins what partitions have answered, two at a time and in their order; what the reducer throws has this code. */
export function reduced(
  values: readonly unknown[],
  reduce: (left: unknown, right: unknown) => unknown,
  part: string,
  code: ErrorCode,
): unknown {
  try {
    const value = values.reduce((left, right) => reduce(left, right))
    return values.length > 1 ? plainResult(value, `reducer of ${part}`) : value
  } catch (error) {
    if (isPlenumError(error)) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new PlenumError(code, `The reducer of ${part} threw: ${message.replace(/\.$/, '')}.`, {
      details: { part },
      cause: error,
    })
  }
}
