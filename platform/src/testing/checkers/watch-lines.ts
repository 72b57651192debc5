// What a watch was asked and what it told, as lines of a history: one line for each change.
//
//   invoke  {"watcher":"w1","filter":{"where":{"status":"open"}},"since":"…"}
//   ok      {"kind":"reset","reason":"initial"}   {"kind":"initial","entry":{…}}   {"kind":"live","token":"…"}
//           {"kind":"changed","entry":{…},"previous":{…},"token":"…"}
//   info    null, where the watch broke; the watcher goes on with another watch
import { PlenumError } from '../../kernel/index.ts'
import type { WatchEvent } from '../../space/index.ts'
import { canonicalText } from './canonical.ts'
import { errorText, type HistoryEvent, type HistoryRecorder } from './history.ts'

/** What a watch sees: entries for which all that is given holds. `where` asks for equal fields. */
export interface WatchFilter {
  readonly key?: string | undefined
  readonly keys?: readonly string[] | undefined
  readonly prefix?: string | undefined
  readonly where?: Readonly<Record<string, unknown>> | undefined
}

/** How a watch was begun. */
export interface WatchAsked {
  readonly watcher: string
  readonly filter: WatchFilter
  /** False where the present state was not asked for. */
  readonly initial?: boolean | undefined
  /** The token after which it goes on. */
  readonly since?: string | undefined
  /** The entry type, where the journal holds several. */
  readonly type?: string | undefined
}

/** What one line tells. */
export interface WatchTold {
  readonly kind: 'reset' | 'initial' | 'live' | 'added' | 'changed' | 'removed'
  readonly entry?: unknown
  readonly previous?: unknown
  readonly reason?: string | undefined
  /** Resumes after the commit that the change belongs to; all lines of a commit have the same. */
  readonly token?: string | undefined
}

/** One line of a watch, without what its recorder adds. */
export interface WatchLine {
  readonly key?: string | undefined
  readonly version?: number | undefined
  readonly value: WatchTold
}

/** True if the filter sees an entry. */
export function isSeen({ key, keys, prefix, where = {} }: WatchFilter, name: string, entry: unknown): boolean {
  if (key !== undefined && key !== name) return false
  if (keys !== undefined && !keys.includes(name)) return false
  if (prefix !== undefined && !name.startsWith(prefix)) return false
  return Object.entries(where).every(([field, value]) => canonicalText(fieldOf(entry, field)) === canonicalText(value))
}

function fieldOf(entry: unknown, field: string): unknown {
  return typeof entry === 'object' && entry !== null ? Reflect.get(entry, field) : undefined
}

/**
 * The lines of what a watch yields, those of one event together. Tokens within a state are left out: a watch that
 * goes on from one of them tells the rest of the state as changes. `about` tells the key of an entry, and its version if it has one.
 */
export async function* watchLines<V extends object>(
  events: AsyncIterable<WatchEvent<V>>,
  about: (entry: V) => { readonly key: string; readonly version?: number },
): AsyncGenerator<readonly WatchLine[]> {
  let isState = false
  for await (const event of events) {
    if (event.kind === 'reset') {
      isState = true
      yield [{ value: event }]
    } else if (event.kind === 'ready') {
      isState = false
      yield [{ value: { kind: 'live', token: event.token } }]
    } else {
      const { changes, token } = event
      yield changes.map((change) => {
        const { key, version } = about(change.entry)
        if (isState) return { key, version, value: { kind: 'initial', entry: change.entry } }
        return { key, version: change.kind === 'removed' ? undefined : version, value: { ...change, token } }
      })
    }
  }
}

/** Records what one watcher asks and hears; its watches follow one another. */
export class RecordedWatcher {
  readonly #recorder: HistoryRecorder
  readonly #name: string
  #op = -1

  constructor(recorder: HistoryRecorder, name: string) {
    this.#recorder = recorder
    this.#name = name
  }

  /** Before the watch is asked for. */
  begins(asked: WatchAsked): void {
    this.#op = this.#recorder.invoke(this.#name, { f: 'watch', value: asked })
  }

  hears({ key, version, value }: WatchLine): void {
    this.#recorder.complete(this.#name, this.#op, 'ok', { f: 'watch', key }, { value, version })
  }

  /** The watch ended, by an error or because its client left it. */
  breaks(error: unknown): void {
    this.#recorder.complete(this.#name, this.#op, 'info', { f: 'watch' }, { value: null, error: errorText(error) })
  }
}

/** One watch of a history: how it was begun, and all that it told. */
export interface RecordedWatch {
  readonly begin: HistoryEvent
  readonly asked: WatchAsked
  readonly told: readonly HistoryEvent[]
  /** The line that says that it broke; undefined where it was open at the end. */
  readonly end: HistoryEvent | undefined
}

/** The watches of a history in the order in which they were begun. CHECK_FAILED if it contradicts itself. */
export function watchesOf(history: readonly HistoryEvent[]): readonly RecordedWatch[] {
  const watches = new Map<
    number,
    { begin: HistoryEvent; asked: WatchAsked; told: HistoryEvent[]; end?: HistoryEvent }
  >()
  const open = new Map<number | string, number>()
  for (const event of history) {
    if (event.f !== 'watch') continue
    const { op, process, type } = event
    if (type === 'invoke') {
      if (watches.has(op) || open.has(process)) throw malformed(event, 'its process or its number is in use')
      if (!isAsked(event.value)) throw malformed(event, 'it does not say who watches what')
      watches.set(op, { begin: event, asked: event.value, told: [] })
      open.set(process, op)
      continue
    }
    const watch = watches.get(op)
    if (watch === undefined || open.get(process) !== op) throw malformed(event, 'this watch is not open in its process')
    if (type === 'ok') {
      if (toldBy(event) === undefined) throw malformed(event, 'a line of it does not say what was told')
      watch.told.push(event)
    } else {
      watch.end = event
      open.delete(process)
    }
  }
  return [...watches.values()].map(({ begin, asked, told, end }) => ({ begin, asked, told, end }))
}

const toldKinds: readonly unknown[] = ['reset', 'initial', 'live', 'added', 'changed', 'removed']

/** What a line of a watch tells; undefined if it is none. */
export function toldBy({ value }: HistoryEvent): WatchTold | undefined {
  return isTold(value) ? value : undefined
}

function isTold(value: unknown): value is WatchTold {
  return typeof value === 'object' && value !== null && 'kind' in value && toldKinds.includes(value.kind)
}

function isAsked(value: unknown): value is WatchAsked {
  if (typeof value !== 'object' || value === null || !('watcher' in value && 'filter' in value)) return false
  return typeof value.watcher === 'string' && typeof value.filter === 'object' && value.filter !== null
}

function malformed(event: HistoryEvent, why: string): PlenumError {
  return new PlenumError('CHECK_FAILED', `The history contradicts itself at watch ${event.op}: ${why}.`, {
    details: { event },
  })
}
