import { definitionOf, type AnyEntry, type Key, type New, type StoredValue } from '../space/index.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { Given, Uses } from './port.ts'

/** Slots from `from` to `to`, both included. */
export interface SlotRange {
  readonly from: number
  readonly to: number
}

/** What a source is asked for: the rows of one partition. */
export interface SourceRequest<U extends Uses> {
  /** Number of the partition, from 0. */
  readonly partition: number
  readonly partitions: number
  /** The slots whose routes live on the partition; `slotOf` gives the slot of a route. */
  readonly slots: readonly SlotRange[]
  readonly uses: Given<U>
  readonly signal: AbortSignal
}

/** A source of a unit that has the entry types E and uses U. */
export interface Source<E extends AnyEntry = any, U extends Uses = any> {
  readonly kind: 'source'
  readonly '~': unknown
  for?(request: SourceRequest<U>, type: E): void
}

/** A source as the platform uses it. */
export class SourceDefinition {
  readonly entry: string
  readonly load: CheckedFunction<[request: SourceRequest<Uses>], AsyncIterable<readonly unknown[]>>
  readonly get:
    | CheckedFunction<[keys: readonly StoredValue[], request: SourceRequest<Uses>], Promise<readonly unknown[]>>
    | undefined

  constructor(type: AnyEntry, { load, get }: SourceFunctions) {
    this.entry = definitionOf(type).name
    this.load = load
    this.get = get
    Object.freeze(this)
  }
}

interface SourceFunctions {
  readonly load: (request: never) => AsyncIterable<readonly unknown[]>
  readonly get?: (keys: never, request: never) => Promise<readonly unknown[]>
}

/**
 * Declares a source: `load` reads the entries of one partition from an outside store, one query and any number of
 * batches; each batch is one commit of its partition. `get` reads single entries that are missing (UN7).
 */
export function source<const T extends E, E extends AnyEntry, U extends Uses>(
  type: T,
  functions: {
    readonly load: (request: SourceRequest<U>) => AsyncIterable<readonly New<T>[]>
    readonly get?: (keys: readonly Key<T>[], request: SourceRequest<U>) => Promise<readonly New<T>[]>
  },
): Source<E, U>
export function source(type: AnyEntry, functions: SourceFunctions): Source {
  return Object.freeze({ kind: 'source', '~': new SourceDefinition(type, functions) })
}
