import { PlenumError } from './errors.ts'

/** Stops with INVARIANT_BROKEN if `condition` is false: a partition that meets this must not go on. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new PlenumError('INVARIANT_BROKEN', `Invariant broken: ${invariant}.`)
}

/** The end of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new PlenumError('INVARIANT_BROKEN', `Invariant broken: unexpected case ${String(value)}.`)
}
