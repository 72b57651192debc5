import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sameValue } from './canonical.ts'
import type { HistoryEvent } from './history.ts'
import type { DumpLine } from './journal-dump.ts'
import type { Token, WatchEvent } from '../../space/index.ts'
import { checkWatch } from './watch.ts'
import { watchLines, type WatchAsked, type WatchTold } from './watch-lines.ts'

const open = (value: number) => ({ status: 'open', value })
const shut = (value: number) => ({ status: 'shut', value })

/** A line of the journal, of the partition that its key names first and of a request of its own unless told. */
function at(index: number, kind: string, key: string, version?: number, value?: unknown, request = index): DumpLine {
  return { partition: Number(key[0]), index, kind, key, version, value, session: 's', request, time: index }
}

const dump: readonly DumpLine[] = [
  { partition: 0, index: 1, kind: 'open' },
  at(2, 'added', '0a', 1, open(1)),
  at(3, 'changed', '0a', 2, shut(2)),
  at(4, 'added', '0b', 1, shut(3)),
  at(5, 'changed', '0a', 3, open(4), 50),
  at(5, 'changed', '0b', 2, open(5), 50),
  { partition: 0, index: 5, kind: 'answered' },
  at(6, 'changed', '0b', 3, open(6)),
  at(7, 'removed', '0a'),
  at(8, 'expired', '0b'),
  at(9, 'added', '0a', 1, open(7)),
  at(2, 'added', '1a', 1, shut(8)),
  at(3, 'changed', '1a', 2, open(9)),
  at(4, 'changed', '1a', 3, open(10)),
]

type Line = readonly [value: WatchTold, key?: string, version?: number] | 'broke' | WatchAsked

/** The lines of watches of one watcher, one after the other. */
function history(...lines: readonly Line[]): readonly HistoryEvent[] {
  let op = 0
  return lines.map((line, time): HistoryEvent => {
    const base = { process: 'w1', f: 'watch', time }
    if (line === 'broke') return { ...base, type: 'info', value: null, op }
    if ('watcher' in line) return { ...base, type: 'invoke', value: line, op: ++op }
    const [value, key, version] = line
    return { ...base, type: 'ok', key, value, version, op }
  })
}

const asked = { watcher: 'w1', filter: { where: { status: 'open' } } } as const
const reset: Line = [{ kind: 'reset', reason: 'initial' }]
const live = (token: string): Line => [{ kind: 'live', token }]
const initial = (key: string, version: number, entry: object): Line => [{ kind: 'initial', entry }, key, version]

/** All that there is to be told, of which the first watch begins with `0a` open, and breaks in the middle. */
const sound: readonly Line[] = [
  asked,
  reset,
  initial('0a', 1, open(1)),
  live('t0'),
  [{ kind: 'removed', entry: open(1), reason: 'unmatched', token: 't1' }, '0a'],
  [{ kind: 'added', entry: open(9), token: 't2' }, '1a', 2],
  [{ kind: 'added', entry: open(4), token: 't3' }, '0a', 3],
  [{ kind: 'added', entry: open(5), token: 't3' }, '0b', 2],
  'broke',
  { ...asked, since: 't3' },
  [{ kind: 'changed', entry: open(6), previous: open(5), token: 't4' }, '0b', 3],
  live('t4'),
  [{ kind: 'changed', entry: open(10), previous: open(9), token: 't5' }, '1a', 3],
  [{ kind: 'removed', entry: open(4), reason: 'taken', token: 't6' }, '0a'],
  [{ kind: 'removed', entry: open(6), reason: 'expired', token: 't7' }, '0b'],
  [{ kind: 'added', entry: open(7), token: 't8' }, '0a', 1],
]

const all = { heardOut: true }
const without = (...places: readonly number[]): readonly HistoryEvent[] =>
  history(...sound.filter((_, place) => !places.includes(place)))
const changed = (place: number, line: Line): readonly HistoryEvent[] => history(...sound.with(place, line))
const wrong = (why: string) => ({
  ok: false,
  decided: true,
  why: expect.stringContaining(why),
  evidence: expect.arrayContaining([expect.objectContaining({ type: 'invoke' })]),
})

describe('watch', () => {
  test('[WA1] [WA2] a sound history is sound, and what was looked at is counted', () => {
    const counts = { ok: true, watchers: 1, entries: 1, changes: 9, resets: 1, resumed: 1 }
    expect(checkWatch(history(...sound), dump, all)).toEqual(counts)
    // Any prefix is, unless the watcher is said to have heard everything.
    for (let length = 1; length < sound.length; length++) {
      if (length === 7) continue
      const part = history(...sound.slice(0, length))
      expect(checkWatch(part, dump)).toMatchObject({ ok: true })
      expect(checkWatch(part, dump, all)).toEqual(wrong('was never told that'))
    }
  })

  test('[WA2] a watch that goes on elsewhere begins with a reset and a state that is not older', () => {
    const begun = sound.slice(0, 8)
    const anew: readonly Line[] = ['broke', { ...asked, since: 't3' }, [{ kind: 'reset', reason: 'history-gone' }]]
    const state: readonly Line[] = [initial('0b', 3, open(6)), initial('1a', 3, open(10)), live('t9')]
    const rest = sound.slice(-2)
    expect(checkWatch(history(...begun, ...anew, ...state, ...rest), dump, all)).toMatchObject({ ok: true, resets: 2 })
    const older = [initial('0a', 1, open(1)), live('t9')]
    expect(checkWatch(history(...begun, ...anew, ...older), dump)).toEqual(
      wrong('never there in partition 0, or not any'),
    )
    // A state that broke off tells nothing wrong either.
    expect(checkWatch(history(...begun, ...anew, state[0]!, 'broke'), dump)).toMatchObject({ ok: true })
    expect(checkWatch(history(...begun, ...anew, initial('0b', 9, open(6)), 'broke'), dump)).toEqual(
      wrong('never there'),
    )
  })

  test('[WA1] a watch that did not ask for a state may begin anywhere, and goes on from there', () => {
    const later: readonly Line[] = [{ ...asked, initial: false }, live('t0'), sound[5]!, sound[10]!]
    expect(checkWatch(history(...later), dump)).toMatchObject({ ok: true, changes: 2 })
    expect(checkWatch(history(...later, sound[7]!), dump)).toEqual(wrong('twice, or out of order'))
  })

  test.each([
    ['a change that is lost', without(10), 'and not before it that 0b was changed by record 6 of partition 0'],
    ['the last change that is lost', without(15), 'never told that 0a was added by record 9 of partition 0'],
    ['a change that is told twice', history(...sound, sound[15]!), 'twice, or out of order'],
    ['changes out of order', history(...sound.with(13, sound[14]!).with(14, sound[13]!)), 'and not before it that'],
    [
      'a change of something that does not match',
      changed(10, [{ kind: 'added', entry: shut(3), token: 't4' }, '0b', 1]),
      'nothing that its filter sees',
    ],
    [
      'a change that nobody made',
      changed(10, [{ kind: 'added', entry: open(99), token: 't4' }, '0b', 3]),
      'nothing that',
    ],
    ['a change of a key that nobody wrote', changed(5, [{ kind: 'added', entry: open(9) }, '1z']), 'no journal holds'],
    [
      'another version',
      changed(5, [{ kind: 'added', entry: open(9), token: 't2' }, '1a', 1]),
      'nothing that its filter',
    ],
    ['another kind of change', changed(5, [{ kind: 'changed', entry: open(9), token: 't2' }, '1a', 2]), 'nothing that'],
    [
      'another previous entry',
      changed(10, [{ kind: 'changed', entry: open(6), previous: open(4), token: 't4' }, '0b', 3]),
      'nothing that its filter',
    ],
    [
      'another reason',
      changed(14, [{ kind: 'removed', entry: open(6), reason: 'removed', token: 't7' }, '0b']),
      'nothing that its filter',
    ],
    [
      'a resumed watch with a gap',
      changed(9, { ...asked, since: 't1' }).filter(({ time }) => time !== 6),
      'and not before it',
    ],
    ['a resumed watch that tells again', changed(10, sound[7]!), 'twice, or out of order'],
    ['a token that nobody was told', changed(9, { ...asked, since: 't99' }), 'had never been told'],
    ['a watch of something else', changed(9, { ...asked, filter: {}, since: 't3' }), 'sees something else'],
    ['a state with too little', without(2), 'and not before it that 0a was added by record 2 of partition 0'],
    ['a state that was never there', changed(2, initial('0a', 1, open(4))), 'never there in partition 0'],
    ['a state with something that does not match', changed(2, initial('0a', 2, shut(2))), 'never there in partition 0'],
    ['a state with the same entry twice', history(...sound.toSpliced(2, 0, sound[2]!)), '0a twice in one state'],
    ['a state of nobody', history(...sound.toSpliced(2, 0, initial('0z', 1, open(1)))), '0z, which no journal holds'],
    ['a state without a reset', history(...sound.toSpliced(5, 0, sound[2]!)), 'as a state, without a reset'],
    ['a change before it is live', without(3), 'before it was live'],
    ['half a commit', without(7), 'told a commit in part'],
    [
      'a commit in two parts',
      changed(7, [{ kind: 'added', entry: open(5), token: 't35' }, '0b', 2]),
      'one commit in two parts',
    ],
    [
      'two commits as one',
      changed(14, [{ kind: 'removed', entry: open(6), reason: 'expired', token: 't6' }, '0b']),
      'two commits as one',
    ],
    [
      'a state in the middle of a commit',
      history(asked, reset, initial('0a', 3, open(4)), initial('1a', 2, open(9)), live('t0')),
      'never there in partition 0',
    ],
  ])('[WA1] [WA2] found: %s', (_, events, why) => {
    expect(checkWatch(events, dump, all)).toEqual(wrong(why))
  })

  test('a history that contradicts itself means nothing, and neither does a key in two partitions', () => {
    for (const lines of [[asked, asked], [live('t0')], [asked, 'broke', live('t0')], [asked, [{ kind: 'nothing' }]]]) {
      expect(() => checkWatch(history(...(lines as readonly Line[])), dump)).toThrow('contradicts itself')
    }
    const twice = [...dump, { ...dump[1]!, partition: 1 }]
    expect(() => checkWatch(history(asked), twice)).toThrow('the key 0a in partition 1 and in another one')
  })

  test.each([
    [{}, ['0a', '0b', '1a']],
    [{ key: '0b' }, ['0b']],
    [{ keys: ['0a', '1a'] }, ['0a', '1a']],
    [{ prefix: '0' }, ['0a', '0b']],
    [{ prefix: '0', where: { value: 7 } }, ['0a']],
  ])('a filter %j sees %j', (filter, keys) => {
    const seen = keys.map((key) => dump.findLast((line) => line.key === key && line.value !== undefined)!)
    const lines = seen.map(({ key = '', version = 0, value }): Line => initial(key, version, value as object))
    const events = history({ watcher: 'w1', filter }, reset, ...lines, live('t0'))
    const until = dump.filter(({ kind }) => kind !== 'removed' && kind !== 'expired')
    expect(checkWatch(events, until, all)).toMatchObject({ ok: true, entries: keys.length })
    const others = history({ watcher: 'w1', filter }, reset, ...lines.slice(1), live('t0'))
    expect(checkWatch(others, until, all)).toMatchObject({ ok: false })
  })
})

test('[WA2] what a watch yields as lines: tokens within a state are left out, those of a commit are the same', async () => {
  const token = (name: string) => name as Token
  const entry = (id: string, version: number) => ({ id, version })
  async function* events(): AsyncGenerator<WatchEvent<{ readonly id: string; readonly version: number }>> {
    yield { kind: 'reset', reason: 'initial' }
    yield { kind: 'changes', changes: [{ kind: 'added', entry: entry('a', 1) }], token: token('t1') }
    yield { kind: 'ready', token: token('t1') }
    const changed = { kind: 'changed', entry: entry('a', 2), previous: entry('a', 1) } as const
    const removed = { kind: 'removed', entry: entry('b', 4), reason: 'taken' } as const
    yield { kind: 'changes', changes: [changed, removed], token: token('t2') }
  }
  const lines = []
  for await (const some of watchLines(events(), ({ id, version }) => ({ key: id, version }))) lines.push(some)
  expect(lines).toEqual([
    [{ value: { kind: 'reset', reason: 'initial' } }],
    [{ key: 'a', version: 1, value: { kind: 'initial', entry: entry('a', 1) } }],
    [{ value: { kind: 'live', token: 't1' } }],
    [
      { key: 'a', version: 2, value: { kind: 'changed', entry: entry('a', 2), previous: entry('a', 1), token: 't2' } },
      { key: 'b', version: undefined, value: { kind: 'removed', entry: entry('b', 4), reason: 'taken', token: 't2' } },
    ],
  ])
})

/** What the naive twin has of one line. */
interface Heard {
  readonly kind: WatchTold['kind']
  readonly key: string
  readonly entry: unknown
}

/** The entries that match after so many lines of a journal. */
function stateAfter(lines: readonly DumpLine[], count: number): ReadonlyMap<string, unknown> {
  const held = new Map(lines.slice(0, count).map(({ key = '', value }) => [key, value]))
  return new Map([...held].filter(([, entry]) => JSON.stringify(entry)?.includes('open') === true))
}

/** What there is to be told from there on: how each state differs from the one before. */
function toldFrom(lines: readonly DumpLine[], from: number): readonly Heard[] {
  return lines.slice(from).flatMap(({ key = '' }, at): readonly Heard[] => {
    const before = stateAfter(lines, from + at).get(key)
    const entry = stateAfter(lines, from + at + 1).get(key)
    if (entry !== undefined) return [{ kind: before === undefined ? 'added' : 'changed', key, entry }]
    return before === undefined ? [] : [{ kind: 'removed', key, entry: before }]
  })
}

/** The naive twin: there is a place in each partition from which all was told as it was. */
function isSound(journal: readonly DumpLine[], state: readonly Heard[], changes: readonly Heard[]): boolean {
  return [0, 1].every((partition) => {
    const own = ({ key = '' }: { readonly key?: string | undefined }): boolean => key.startsWith(String(partition))
    const lines = journal.filter(own)
    const begun = Object.fromEntries(state.filter(own).map(({ key, entry }) => [key, entry]))
    const told = changes.filter(own)
    return Array.from({ length: lines.length + 1 }, (_, place) => place).some(
      (place) =>
        sameValue(Object.fromEntries(stateAfter(lines, place)), begun) &&
        sameValue(toldFrom(lines, place).slice(0, told.length), told),
    )
  })
}

const write = fc.record({
  key: fc.constantFrom('0a', '0b', '1a'),
  what: fc.constantFrom('open', 'open', 'shut', 'gone'),
})
const telling = fc.record({
  writes: fc.array(write, { maxLength: 12 }),
  from: fc.tuple(fc.nat(4), fc.nat(4)),
  until: fc.tuple(fc.nat(9), fc.nat(9)),
  bug: fc.constantFrom('none', 'lost', 'twice', 'swapped', 'entry lost'),
  at: fc.nat(8),
})

/** A journal in which the same value is written again and again, so that states come back. */
function journalOf(writes: readonly { readonly key: string; readonly what: string }[]): readonly DumpLine[] {
  const held = new Set<string>()
  return writes.flatMap(({ key, what }, index): readonly DumpLine[] => {
    if (what === 'gone') return held.delete(key) ? [at(index, 'removed', key)] : []
    const kind = held.has(key) ? 'changed' : 'added'
    held.add(key)
    return [at(index, kind, key, undefined, { status: what, value: index % 2 })]
  })
}

test('[WA1] random small histories with a bug or without: the checker = the states compared naively', () => {
  const counts = { sound: 0, broken: 0 }
  fc.assert(
    fc.property(telling, ({ writes, from, until, bug, at: spot }) => {
      const journal = journalOf(writes)
      const parts = [0, 1].map((partition) => {
        const lines = journal.filter(({ key = '' }) => key.startsWith(String(partition)))
        const begin = Math.min(from[partition]!, lines.length)
        const state = [...stateAfter(lines, begin)].map(([key, entry]): Heard => ({ kind: 'initial', key, entry }))
        return { state, changes: toldFrom(lines, begin).slice(0, until[partition]) }
      })
      let state = parts.flatMap((part) => part.state)
      let changes = parts.flatMap((part) => part.changes)
      const here = changes[spot]
      if (bug === 'entry lost') state = state.slice(1)
      if (bug === 'lost') changes = changes.filter((_, place) => place !== spot)
      if (bug === 'twice' && here !== undefined) changes = changes.toSpliced(spot, 0, here)
      if (bug === 'swapped' && here !== undefined) changes = [...changes.toSpliced(spot, 1), here]
      const line = ({ kind, key, entry }: Heard): Line => [{ kind, entry }, key]
      const events = history(asked, reset, ...state.map(line), live('t0'), ...changes.map(line))
      const expected = isSound(journal, state, changes)
      counts[expected ? 'sound' : 'broken'] += 1
      expect(checkWatch(events, journal).ok).toBe(expected)
    }),
    { numRuns: 2_000 },
  )
  // About one in eight is broken: which they are is chance.
  expect(Math.min(counts.sound, counts.broken)).toBeGreaterThan(100)
})
