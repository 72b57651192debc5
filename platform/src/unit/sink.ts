import { durationMs, PlenumError, type Duration } from '../kernel/index.ts'
import type { FoldOut, ProjectionRule, SinkBatch as Batch, SinkRule } from '../partition/index.ts'
import { definitionOf, type AnyEntry } from '../space/index.ts'
import type { Outside } from './beside-data.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { Given, Uses } from './port.ts'
import type { Applied } from './projection.ts'
import { wholeNumber } from './worker.ts'

/** The number of a change in a partition's journal: the record that made it, and its place in it. */
export interface ChangeNumber {
  readonly index: number
  readonly offset: number
}

/** Changes of one partition that a sink writes, in order, each after the one before. */
export interface SinkBatch<T extends AnyEntry> {
  readonly partition: number
  /** Names the partition's journal: numbers of one say nothing about another. */
  readonly journal: string
  /** The number of the last change before these. */
  readonly after: ChangeNumber
  readonly changes: readonly (ChangeNumber & { readonly change: Applied<T> })[]
}

/** What a sink's function gets beside the batch. */
export interface SinkContext<U extends Uses> {
  readonly uses: Given<U>
  /** Aborted at the time-out, and when the partition's reign ends. */
  readonly signal: AbortSignal
}

/** A sink of a unit that has the entry types E and uses U. */
export interface Sink<E extends AnyEntry = any, U extends Uses = any> {
  readonly kind: 'sink'
  readonly '~': unknown
  for?(context: SinkContext<U>, change: Applied<E>): void
}

/** A sink as the platform uses it. */
export class SinkDefinition {
  readonly of: readonly string[]
  readonly batch: number
  readonly whenFull: 'wait' | 'drop'
  readonly timeoutMs: number
  readonly write: CheckedFunction<[batch: Batch, context: unknown], Promise<void>>

  constructor({ of, write, batch = 500, whenFull = 'wait', timeout = '30s' }: SinkDeclaration) {
    if (typeof write !== 'function') throw invalid('A sink needs a function `write`.', 'write')
    if (!Array.isArray(of) || of.length === 0)
      throw invalid('A sink needs `of`, a list of the entry types whose changes it writes.', 'of')
    if (whenFull !== 'wait' && whenFull !== 'drop')
      throw invalid(`whenFull of a sink is 'wait' or 'drop', not ${JSON.stringify(whenFull)}.`, 'whenFull')
    this.of = Object.freeze(of.map((type) => definitionOf(type).name))
    this.batch = wholeNumber('batch', batch)
    this.whenFull = whenFull
    this.timeoutMs = durationMs(timeout, 'timeout of a sink')
    this.write = write
    Object.freeze(this)
  }
}

interface SinkDeclaration {
  readonly of: readonly AnyEntry[]
  readonly write: (batch: never, context: never) => Promise<void>
  readonly batch?: number
  readonly whenFull?: 'wait' | 'drop'
  readonly timeout?: Duration
}

/**
 * Declares a sink: `write` brings the changes of some entry types to an outside store, `batch` (500) of one partition at
 * most at a time, in order, and again until it resolves (UN7). The store counts each once if it keeps the number of the
 * last change of each journal together with what it made of it. Where `sinkChangesMax` changes are not written, further
 * ones wait (`whenFull: 'wait'`) or the oldest are dropped (`'drop'`). A `write` that takes longer than `timeout` (30s) has
 * failed.
 */
export function sink<const T extends E, E extends AnyEntry, U extends Uses>(declaration: {
  readonly of: readonly T[]
  readonly write: (batch: SinkBatch<T>, context: SinkContext<U>) => Promise<void>
  readonly batch?: number
  readonly whenFull?: 'wait' | 'drop'
  readonly timeout?: Duration
}): Sink<E, U>
export function sink(declaration: SinkDeclaration): Sink {
  return Object.freeze({ kind: 'sink', '~': new SinkDefinition(declaration) })
}

/** A sink, resolved from its declaration. */
export interface SinkPart {
  readonly name: string
  readonly definition: SinkDefinition
}

/** The name under which a partition keeps what a sink is to write: no projection can have it. */
export function sinkName(name: string): string {
  return `sink ${name}`
}

/** What keeps the changes of a sink, on primary and followers alike. */
export function keepingRule({ name, definition }: SinkPart, changesMax: number): ProjectionRule {
  const keptMax = definition.whenFull === 'drop' ? changesMax : Infinity
  return {
    name: sinkName(name),
    of: definition.of,
    create: () => null,
    apply: (_, change, out: FoldOut) => out.keep(change, keptMax),
    save: (state) => state,
    load: (saved) => saved,
  }
}

/** What writes the changes of a sink, on a primary; nothing where nobody runs it. */
export function sinkRule({ name, definition }: SinkPart, outside: (() => Outside | undefined) | undefined): SinkRule {
  const { of, batch, whenFull, timeoutMs } = definition
  const rule = { name: sinkName(name), of, batch, whenFull, timeoutMs }
  if (outside === undefined) return { ...rule, writer: undefined }
  return {
    ...rule,
    writer: () => {
      const given = outside()
      // Async, so that what it throws at once is a failure like others.
      return given && (async (batch, signal) => definition.write(batch, { uses: given.uses, signal }))
    },
  }
}

function invalid(message: string, field: string): PlenumError {
  return new PlenumError('UNIT_INVALID', message, { details: { field } })
}
