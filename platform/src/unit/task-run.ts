import { PlenumError } from '../kernel/index.ts'
import type { Part, RouteOptions, Router } from '../router/index.ts'
import type { Command } from '../space/index.ts'

/** What a task's `total()` says: never a part of the result passed off as the whole (UN5). */
export type TaskTotal =
  | { readonly complete: true; readonly value: unknown }
  | { readonly complete: false; readonly value: unknown; readonly failed: readonly number[]; readonly error: unknown }

/** One run of a task over all partitions: its parts as they arrive, or their total. The work starts when it is asked for. */
export class UnitTaskRun implements AsyncIterable<{ readonly partition: number; readonly part: unknown }> {
  readonly #router: Router
  readonly #command: Command
  readonly #reduce: (left: unknown, right: unknown) => unknown

  readonly #options: RouteOptions | undefined

  constructor(
    router: Router,
    command: Command,
    reduce: (left: unknown, right: unknown) => unknown,
    options: RouteOptions | undefined,
  ) {
    this.#options = options
    this.#router = router
    this.#command = command
    this.#reduce = reduce
  }

  /** The parts in the order in which they arrive; leaving the loop drops the rest. The first failed part throws. */
  async *[Symbol.asyncIterator](): AsyncGenerator<{ readonly partition: number; readonly part: unknown }> {
    for await (const part of this.#router.fanOut(this.#command, this.#options)) {
      if (!part.ok) throw part.error
      yield { partition: part.partition, part: part.value }
    }
  }

  /** All parts reduced in the order of partitions, so that the result does not depend on who answered first. */
  async total(): Promise<TaskTotal> {
    const parts: Part[] = []
    for await (const part of this.#router.fanOut(this.#command, this.#options)) parts.push(part)
    parts.sort((a, b) => a.partition - b.partition)
    const failed = parts.filter((part) => !part.ok)
    const values = parts.filter((part) => part.ok).map((part) => part.value)
    const value = values.length === 0 ? undefined : values.reduce((left, right) => this.#reduce(left, right))
    if (failed.length === 0) return { complete: true, value }
    const fault = failed.find(({ error }) => isFault(error))
    if (fault !== undefined && values.length === 0) throw fault.error
    const { error } = fault ?? failed[0]!
    return { complete: false, value, failed: failed.map(({ partition }) => partition), error }
  }
}

/** True for errors of the call itself, such as a wrong input, which no partition would answer otherwise. */
function isFault(error: unknown): boolean {
  return error instanceof PlenumError && error.retry === 'never'
}
