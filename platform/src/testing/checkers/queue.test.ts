import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalText } from './canonical.ts'
import type { HistoryEvent } from './history.ts'
import { operationsOf, type RecordedOperation } from './operations.ts'
import { checkQueue } from './queue.ts'
import { searchOrder, type SequentialModel } from './search-order.ts'

type F = 'enqueue' | 'take' | 'drain'
type Step = readonly [F, 'invoke' | 'ok' | 'fail' | 'info', number, { key?: string; value?: unknown }?]

/** A history of steps: what, how far, the operation's number, and its key or value. */
function history(...steps: readonly Step[]): readonly HistoryEvent[] {
  return steps.map(([f, type, op, more], time) => ({ process: op, type, f, op, time, ...more }))
}

/** An operation that has its answer before the next one begins. */
function done(f: F, op: number, key: string | undefined, value: unknown): readonly Step[] {
  const of = key === undefined ? {} : { key }
  return [
    [f, 'invoke', op, f === 'enqueue' ? { ...of, value } : of],
    [f, 'ok', op, { ...of, value }],
  ]
}

const sound: readonly Step[] = [
  ...done('enqueue', 0, 'a', 1),
  ...done('enqueue', 1, 'a', 2),
  ...done('take', 2, 'b', null),
  ...done('take', 3, 'a', 1),
  ...done('take', 4, undefined, 2),
]

/** The sound history with one event changed, or left out. */
function planted(at: number, value: unknown): readonly HistoryEvent[] {
  return history(...sound).map((event, place) => (place === at ? { ...event, value } : event))
}

describe('queue', () => {
  test('[SP4] [SP9] a sound history is sound, and what was looked at is counted', () => {
    const counts = { ok: true, values: 2, taken: 2, empty: 1, unknown: 0, missing: 0, ordered: 1 }
    expect(checkQueue(history(...sound))).toEqual(counts)
    const drained = history(...sound.slice(0, 4), ...done('take', 2, 'b', null), ...done('drain', 3, 'a', [1, 2]))
    expect(checkQueue(drained)).toEqual(counts)
  })

  test('[SP4] [SP5] a take of unknown outcome may have what is missing, and no more', () => {
    const lost = history(...sound.slice(0, 8), ['take', 'invoke', 4], ['take', 'info', 4])
    expect(checkQueue(lost)).toMatchObject({ ok: true, unknown: 1, missing: 1 })
    expect(checkQueue(lost.slice(0, -2))).toMatchObject({ ok: false, why: expect.stringContaining('nobody took it') })
    // A drain may have had all of it, an enqueue of another key is none of its business.
    const drain: readonly Step[] = [
      ['drain', 'invoke', 4, { key: 'a' }],
      ['drain', 'info', 4],
    ]
    expect(checkQueue(history(...sound.slice(0, 6), ...drain))).toMatchObject({ ok: true, unknown: 1, missing: 2 })
    const elsewhere = history(...sound.slice(0, 6), ...drain, ...done('enqueue', 5, 'b', 3))
    expect(checkQueue(elsewhere)).toMatchObject({ ok: false, why: expect.stringContaining('Put 5 of 3 was acked') })
  })

  test.each([
    ['twice', planted(9, 1), 'both took'],
    ['out of nothing', planted(7, 3), 'nobody had put'],
    ['out of order', planted(7, 2).map((event, at) => (at === 9 ? { ...event, value: 1 } : event)), 'taken before it'],
    [
      'not though it lay there',
      planted(4, null).map((event, at) => (at === 4 ? { ...event, key: 'a' } : event)),
      'found nothing',
    ],
    ['from another key', history(...sound.slice(0, 2), ...done('take', 1, 'b', 1)), 'it had been put into a'],
    ['twice by one drain', history(...sound.slice(0, 2), ...done('drain', 1, 'a', [1, 1])), 'both took 1'],
    ['out of order by a drain', history(...sound.slice(0, 4), ...done('drain', 2, 'a', [2, 1])), 'taken before it'],
    [
      'after a drain that left it',
      history(...sound.slice(0, 4), ...done('drain', 2, 'a', [1]), ...done('take', 3, 'a', 2)),
      'found nothing more',
    ],
    [
      'before one that only a later take of unknown outcome can have',
      history(...sound.slice(0, 4), ...done('take', 2, 'a', 2), ['take', 'invoke', 3], ['take', 'info', 3]),
      'by nobody until then',
    ],
    [
      'not though others lay there in turn',
      history(
        ...sound.slice(0, 2),
        ['take', 'invoke', 7, { key: 'a' }],
        ...done('enqueue', 1, 'a', 2),
        ...done('take', 3, 'a', 1),
        ['take', 'ok', 7, { value: null }],
        ...done('take', 4, 'a', 2),
      ),
      '1 from put 0 to take 3, then 2 from put 1 to take 4',
    ],
  ])('[SP4] [SP9] found: a value taken %s', (_, events, why) => {
    expect(checkQueue(events)).toMatchObject({ ok: false, decided: true, why: expect.stringContaining(why) })
  })
})

/** One FIFO queue: the naive twin searches for an order of all operations. */
const fifo: SequentialModel<readonly string[], RecordedOperation> = {
  initial: [],
  step: (queue, { f, input, completion }) => {
    if (f === 'enqueue') return [...queue, canonicalText(input)]
    const value: unknown = completion.kind === 'ok' ? completion.value : undefined
    if (f === 'drain') return canonicalText(value) === `[${String(queue)}]` ? [] : undefined
    if (value === null) return queue.length === 0 ? queue : undefined
    return queue[0] === canonicalText(value) ? queue.slice(1) : undefined
  },
  text: String,
  kin: ({ f, input }) => `${f} ${canonicalText(input)}`,
}

const call = fc.record({
  f: fc.constantFrom('enqueue' as const, 'take' as const),
  length: fc.integer({ min: 1, max: 6 }),
  answer: fc.constantFrom(null, 0, 1, 2, 3),
})

/** A history of operations that overlap, and a drain of what is left after them all. */
function overlapping(calls: readonly { readonly f: F; readonly length: number; readonly answer: number | null }[]) {
  const ends: { readonly at: number; readonly step: Step }[] = []
  let values = 0
  for (const [op, { f, length, answer }] of calls.entries()) {
    const value = f === 'enqueue' ? values++ : answer
    const begin: Step = [f, 'invoke', op, f === 'enqueue' ? { key: 'q', value } : { key: 'q' }]
    ends.push({ at: op * 2, step: begin }, { at: op * 2 + length * 2 - 1, step: [f, 'ok', op, { key: 'q', value }] })
  }
  const taken = new Set(calls.flatMap(({ f, answer }) => (f === 'take' ? [answer] : [])))
  const left = Array.from({ length: values }, (_, value) => value).filter((value) => !taken.has(value))
  const steps = ends.toSorted((a, b) => a.at - b.at).map(({ step }) => step)
  return history(...steps, ...done('drain', calls.length, 'q', left))
}

test('[SP9] random small histories of one queue: the checker = a search for an order', () => {
  const counts = { sound: 0, broken: 0 }
  fc.assert(
    fc.property(fc.array(call, { maxLength: 7 }), (calls) => {
      const events = overlapping(calls)
      const expected = searchOrder(fifo, operationsOf(events), 100_000).kind === 'explained'
      counts[expected ? 'sound' : 'broken'] += 1
      expect(checkQueue(events).ok).toBe(expected)
    }),
    { numRuns: 3_000 },
  )
  expect(Math.min(counts.sound, counts.broken)).toBeGreaterThan(200)
})
