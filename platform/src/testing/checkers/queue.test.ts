import { describe, expect, test } from 'vitest'
import type { HistoryEvent } from './history.ts'
import { checkQueue } from './queue.ts'

type Step = readonly ['put' | 'take', 'invoke' | 'ok' | 'fail' | 'info', number, { key?: string; value?: unknown }?]

/** A history of steps: what, how far, the operation's number, and its key or value. */
function history(...steps: readonly Step[]): readonly HistoryEvent[] {
  return steps.map(([f, type, op, more], time) => ({ process: op, type, f, op, time, ...more }))
}

const sound: readonly Step[] = [
  ['put', 'invoke', 0, { key: 'a', value: 1 }],
  ['put', 'ok', 0, { key: 'a', value: 1 }],
  ['put', 'invoke', 1, { key: 'a', value: 2 }],
  ['put', 'ok', 1, { key: 'a', value: 2 }],
  ['take', 'invoke', 2, { key: 'b' }],
  ['take', 'ok', 2, { value: null }],
  ['take', 'invoke', 3, { key: 'a' }],
  ['take', 'ok', 3, { value: 1 }],
  ['take', 'invoke', 4],
  ['take', 'ok', 4, { value: 2 }],
]

/** The sound history with one event changed, or left out. */
function planted(at: number, value: unknown): readonly HistoryEvent[] {
  return history(...sound).map((event, place) => (place === at ? { ...event, value } : event))
}

describe('queue', () => {
  test('[SP4] [SP9] a sound history is sound, and what was looked at is counted', () => {
    expect(checkQueue(history(...sound))).toEqual({ ok: true, values: 2, taken: 2, empty: 1, unknown: 0, missing: 0 })
  })

  test('[SP4] [SP5] a take of unknown outcome may have what is missing, and no more', () => {
    const lost = history(...sound.slice(0, 8), ['take', 'invoke', 4], ['take', 'info', 4])
    expect(checkQueue(lost)).toMatchObject({ ok: true, unknown: 1, missing: 1 })
    expect(checkQueue(lost.slice(0, -2))).toMatchObject({ ok: false, why: expect.stringContaining('nobody took it') })
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
  ])('[SP4] [SP9] found: a value taken %s', (_, events, why) => {
    expect(checkQueue(events)).toMatchObject({ ok: false, decided: true, why: expect.stringContaining(why) })
  })
})
