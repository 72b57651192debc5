// A local view (WA4): a live copy of what matches a query, held by its reader and read at once.
//
// Owns the copy. Does not own how changes come (`watch.ts`), nor how a query is answered (`space/`).
//
// I1 Readers see the copy between two events of its watch: a commit of one partition is there as a whole or not at all.
// I2 Where the watch begins anew, readers see what was there before until everything that matches now is known.
// I3 The copy stays what it was when its watch fails; that it is no longer live is told.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import {
  Reader,
  Row,
  stampOf,
  Table,
  type Change,
  type KeyFields,
  type Layout,
  type SelectOptions,
  type StoredValue,
  type Token,
  type WatchEvent,
} from '../space/index.ts'
import type { WatchOptions } from './watch.ts'

/** A watch that tells how far it is behind. */
export interface ViewedWatch {
  events(): AsyncGenerator<WatchEvent<StoredValue>>
  /** Changes that match and were not told yet. */
  behind(): Promise<number>
}

export interface ViewOptions {
  readonly layout: Layout
  readonly limits: Limits
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>
  /** Begins to watch, from the present state or from a token. */
  readonly watch: (options: WatchOptions) => ViewedWatch
  readonly signal: AbortSignal | undefined
}

/** Milliseconds until a watch that has failed is begun again. */
const againMs = 100

export class View implements AsyncDisposable {
  readonly #options: ViewOptions
  readonly #stop = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #reader: Reader
  #table: Table
  /** What matches now, while the watch begins anew. */
  #coming: Table | undefined
  #snapshot: readonly StoredValue[] | undefined
  #watch: ViewedWatch | undefined
  #token: Token | undefined
  #error: PlenumError | undefined
  #written = 0

  /** Resolves when everything that matches is there. Rejects with the errors of `watch`. */
  static async open(options: ViewOptions): Promise<View> {
    const view = new View(options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    void view.#follow(resolve, reject)
    await promise
    return view
  }

  private constructor(options: ViewOptions) {
    const { layout, limits, signal } = options
    this.#options = options
    this.#table = new Table(0, layout)
    this.#reader = new Reader({ limits, checkOf: () => (layout.open ? undefined : checkIn(layout)), onQuery: () => {} })
    if (signal?.aborted === true) this.#error = aborted(signal)
    signal?.addEventListener('abort', () => this.#end(aborted(signal)), { once: true })
  }

  /** Entries in the view. */
  get size(): number {
    return this.#table.size
  }

  /** True while changes come. */
  get isLive(): boolean {
    return this.#watch !== undefined
  }

  /** Why no changes come any more; undefined while they do, or will again. */
  get error(): PlenumError | undefined {
    return this.#error
  }

  get(key: KeyFields): StoredValue | undefined {
    return this.#table.find(key)?.value
  }

  read(where: StoredValue, options: SelectOptions = {}): StoredValue | undefined {
    return this.#reader.read(this.#table, where, options)
  }

  readAll(where: StoredValue = {}, options: SelectOptions = {}): readonly StoredValue[] {
    return this.#reader.readAll(this.#table, where, options)
  }

  count(where: StoredValue = {}): number {
    return this.#reader.count(this.#table, where)
  }

  /** All entries; the same list until something changes. */
  readonly getSnapshot = (): readonly StoredValue[] => {
    this.#snapshot ??= Object.freeze([...this.#table.rows()].map(({ value }) => value))
    return this.#snapshot
  }

  /** Has a function called after each change; ends with the function that it returns. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Changes that are committed, match, and are not in the view yet; Infinity while they do not come. */
  async lag(): Promise<number> {
    return this.#watch === undefined ? Infinity : this.#watch.behind()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new PlenumError('CLOSED', 'The view is closed.'))
  }

  /** Watches until the view ends; what may pass is tried again from the last token. */
  async #follow(onReady: () => void, onFailed: (error: unknown) => void): Promise<void> {
    while (this.#error === undefined) {
      const watch = this.#options.watch({ since: this.#token, conflate: true, signal: this.#stop.signal })
      try {
        for await (const event of watch.events()) {
          this.#apply(event)
          if (event.kind !== 'ready') continue
          this.#watch = watch
          onReady()
        }
      } catch (error) {
        this.#watch = undefined
        if (this.#token === undefined || !mayPass(error)) {
          this.#end(asError(error))
          return onFailed(error)
        }
        this.#tell()
        await this.#options.pause(againMs)
      }
    }
    onFailed(this.#error)
  }

  #apply(event: WatchEvent<StoredValue>): void {
    if (event.kind === 'reset') {
      this.#coming = new Table(0, this.#options.layout)
      return
    }
    if (event.kind === 'changes') {
      const table = this.#coming ?? this.#table
      for (const change of event.changes) this.#change(table, change)
    }
    if (event.kind === 'ready' && this.#coming !== undefined) {
      this.#table = this.#coming
      this.#coming = undefined
    }
    if (this.#coming !== undefined) return
    this.#token = event.token
    this.#tell()
  }

  #change(table: Table, change: Change<StoredValue>): void {
    const row = table.find(change.entry)
    if (change.kind === 'removed') {
      if (row !== undefined) table.delete(row)
    } else if (row === undefined) {
      table.add(new Row(change.entry, 1, stampOf(change.entry) ?? 0, 0, ++this.#written, 0))
    } else {
      table.change(row, change.entry)
    }
  }

  #tell(): void {
    this.#snapshot = undefined
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        // A listener's error is nobody's, and must not end the view.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #end(error: PlenumError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#watch = undefined
    this.#stop.abort()
    this.#tell()
  }
}

/** Says why a path names nothing: a view knows the fields of its entries, and not what lies in them. */
function checkIn({ name, fields }: Layout): (path: string) => string | undefined {
  return (path) => {
    const [first = ''] = path.split('.')
    return fields.includes(first) ? undefined : `the entry type '${name}' has no field '${first}'`
  }
}

/** Whether a watch that has failed so may go on later. */
function mayPass(error: unknown): boolean {
  return isPlenumError(error) && (error.retry !== 'never' || error.code === 'TIMEOUT')
}

function asError(error: unknown): PlenumError {
  return isPlenumError(error)
    ? error
    : new PlenumError('CLOSED', `The view has ended: ${String(error)}`, { cause: error })
}

function aborted(signal: AbortSignal): PlenumError {
  return new PlenumError('ABORTED', 'The view was ended by its signal.', { cause: signal.reason })
}
