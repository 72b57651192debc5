import { PlenumError, type Token } from 'plenum'
import {
  checkWatch,
  entryChangeKinds,
  watchLines,
  type Asked,
  type DumpLine,
  type HistoryEvent,
  type Random,
  type WatchFilter,
} from 'plenum/testing'
import { Note } from './unit.ts'
import { drawTurn, readManner, type Size, type Verdict, type Watching, type Workload } from './workload.ts'

/** A note as it is written; all notes whose key begins with the same letter lie on one route. */
interface Written {
  readonly key: string
  readonly status: 'open' | 'shut'
  readonly value: number
  /** It expires after so many milliseconds. */
  readonly leaseMs?: number
}

const withoutJournal: Verdict = {
  ok: false,
  decided: false,
  why: 'Whether a watch told what the journal holds can only be said with it: give --journal.',
  evidence: [],
}

const shelves = ['a', 'b', 'c', 'd', 'e']
const notesOfShelf = 4

/** Notes that are written, alone or several in one commit, removed, and gone by themselves; and clients that watch them. */
export const watch: Workload = {
  name: 'watch',
  about: 'changes of notes, and clients that watch some of them; each is told a part of the journal without a gap',
  needsJournal: true,
  draw: (random, size) => {
    const turns = Array.from({ length: size.operations }, (_, at) =>
      drawTurn(random, size, drawStep(random, at * 10 + 1)),
    )
    // Every key once more: who has heard these of all that it sees has heard everything.
    const finals = keys.map((key, at): Written => ({ key, status: 'open', value: (size.operations + at) * 10 }))
    const last = finals.map(({ key, ...value }) => ({ f: 'write', key, value }))
    const watching = { watchers: drawWatchers(random, size), last }
    // Few changes are kept, so that some watches find that theirs are gone.
    const limits = { changeRingMax: [8, 64, 10_000][random.integer(3)]! }
    return { opening: [], turns, watching, limits, closing: [{ f: 'read' }] }
  },
  perform: async ({ space, handlers }, { f, key, value }: Asked, manner) => {
    const { timeout } = manner
    switch (f) {
      case 'write': {
        const note = { key: key ?? '', ...(value as Omit<Written, 'key'>) }
        const [version] = await handlers.note({ shelf: shelfOf(note.key), notes: [note] }, { timeout })
        return { value, version }
      }
      case 'writeAll': {
        const notes = value as readonly Written[]
        await handlers.note({ shelf: shelfOf(notes[0]!.key), notes: [...notes] }, { timeout })
        return { value }
      }
      case 'delete':
        await space.remove(Note, { shelf: shelfOf(key ?? ''), id: key ?? '' }, { timeout })
        return {}
      case 'read':
        return { value: await space.readAll(Note, {}, readManner(manner)) }
      default:
        throw new PlenumError('USAGE', `Notes know no '${f}'.`)
    }
  },
  follow: async ({ space }, { filter, since }, hear, signal) => {
    const events = space.watch(Note, queryOf(filter), { since: since as Token | undefined, signal })
    for await (const lines of watchLines(events, ({ id, version }) => ({ key: id, version }))) hear(lines)
  },
  check: (history, dump) => {
    if (dump === undefined) return withoutJournal
    const result = checkWatch(history, dump, { heardOut: true })
    if (!result.ok) return result
    const wrong = differentEffects(history, dump)
    if (wrong !== undefined) return wrong
    const { ok: _, ...counts } = result
    return { ok: true, counts }
  },
}

const keys = shelves.flatMap((shelf) => Array.from({ length: notesOfShelf }, (_, number) => `${shelf}${number}`))

function shelfOf(key: string): string {
  return key.slice(0, 1)
}

/** A step; it may use up to ten values from the given one on. */
function drawStep(random: Random, value: number): Asked {
  const kind = random.next()
  const key = keys[random.integer(keys.length)]!
  if (kind < 0.2) return { f: 'delete', key }
  if (kind < 0.75) {
    const { key: _, ...note } = drawNote(random, key, value)
    return { f: 'write', key, value: note }
  }
  const own = keys.filter((one) => shelfOf(one) === shelfOf(key))
  const from = random.integer(own.length - 1)
  const chosen = own.slice(from, from + 2 + random.integer(own.length - 1))
  return { f: 'writeAll', value: chosen.map((one, at) => drawNote(random, one, value + at)) }
}

function drawNote(random: Random, key: string, value: number): Written {
  const status = random.next() < 0.5 ? 'open' : 'shut'
  return { key, status, value, ...(random.next() < 0.1 ? { leaseMs: 1 + random.integer(1_000) } : {}) }
}

/** One watcher of each kind of filter, and some that leave now and then. */
function drawWatchers(random: Random, { clients }: Size): Watching['watchers'] {
  const key = keys[random.integer(keys.length)]!
  const filters: readonly WatchFilter[] = [
    {},
    { where: { status: 'open' } },
    { prefix: shelfOf(key) },
    { key },
    { keys: keys.filter((one) => one === key || random.next() < 0.3) },
    { prefix: shelfOf(key), where: { status: 'open' } },
  ]
  return filters.map((filter, number) => {
    const leavesAfter = random.next() < 0.5 ? undefined : 5 + random.integer(40)
    return {
      name: `w${number + 1}`,
      filter,
      client: random.integer(clients),
      leavesAfter,
      forgets: random.next() < 0.3,
    }
  })
}

/** The same filter as a query. */
function queryOf({ key, keys: some, prefix, where = {} }: WatchFilter): object {
  if (key !== undefined) return { id: key, ...where }
  if (some !== undefined) return { id: { in: some }, ...where }
  return prefix === undefined ? where : { id: { startsWith: prefix }, ...where }
}

/** A write that the journal does not hold as it was answered, or a last reading that is not its end. */
function differentEffects(history: readonly HistoryEvent[], dump: readonly DumpLine[]): Verdict | undefined {
  const changes = dump.filter(({ kind }) => entryChangeKinds.includes(kind))
  const made = Map.groupBy(changes, ({ value }) => numberIn(value))
  const answered = history.filter(
    ({ f, type }) => (f === 'write' || f === 'writeAll') && (type === 'ok' || type === 'fail'),
  )
  for (const event of answered) {
    const values: readonly unknown[] = Array.isArray(event.value) ? event.value : [event.value]
    const found = values.map((value) => made.get(numberIn(value)) ?? [])
    if (found.every(({ length }) => length === (event.type === 'ok' ? 1 : 0))) continue
    const why = `Operation ${event.op} ended with '${event.type}'; the journal holds its values ${found.map(({ length }) => length).join(', ')} times.`
    return { ok: false, decided: true, why, evidence: [event, ...found.flat()] }
  }
  const held = new Map(changes.map((line) => [line.key, line]))
  const left = [...held.values()].flatMap(({ value }) => (value === undefined ? [] : [value]))
  const last = history.findLast(({ f, type }) => f === 'read' && type === 'ok')
  if (last === undefined || !Array.isArray(last.value) || sameEntries(last.value, left)) return undefined
  const why = `Read ${last.op} is the last one; the journal ends with something else.`
  return { ok: false, decided: true, why, evidence: [last, ...held.values()] }
}

function sameEntries(some: readonly unknown[], others: readonly unknown[]): boolean {
  const numbers = new Set(others.map(numberIn))
  return some.length === others.length && some.every((entry) => numbers.has(numberIn(entry)))
}

function numberIn(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'value' in entry ? entry.value : undefined
}
