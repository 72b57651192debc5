import { describe, expect, test } from 'vitest'
import { checkFifoGroups } from './fifo-groups.ts'
import type { HistoryEvent } from './history.ts'

type Step = readonly [
  f: string,
  type: 'invoke' | 'ok' | 'fail' | 'info',
  op: number,
  value: number,
  key?: string | undefined,
]

function history(...steps: readonly Step[]): readonly HistoryEvent[] {
  return steps.map(([f, type, op, value, key = 'g'], time) => ({ process: op, type, f, op, time, value, key }))
}

/** An operation that ends before the next one begins. */
function whole(
  f: string,
  op: number,
  value: number,
  key?: string,
  end: 'ok' | 'fail' | 'info' = 'ok',
): readonly Step[] {
  return [
    [f, 'invoke', op, value, key],
    [f, end, op, value, key],
  ]
}

const enqueues = [...whole('enqueue', 0, 1), ...whole('enqueue', 1, 2), ...whole('enqueue', 2, 3, 'h')]
const works = [...whole('work', 3, 1), ...whole('work', 4, 2), ...whole('work', 5, 3, 'h')]
const ends = [...whole('done', 6, 1), ...whole('done', 7, 2), ...whole('done', 8, 3, 'h')]

describe('FIFO groups', () => {
  test('[SP9] [UN3] a sound history is sound, and what was looked at is counted', () => {
    const counts = { enqueued: 3, done: 3, dead: 0, works: 3, failed: 0, ordered: 1 }
    expect(checkFifoGroups(history(...enqueues, ...works, ...ends))).toEqual({ ok: true, ...counts })
  })

  test('[SP9] [UN3] attempts that fail, zombies and unknown enqueues are no violation', () => {
    const result = checkFifoGroups(
      history(
        ...enqueues,
        ...whole('enqueue', 20, 4, 'g', 'info'),
        ['work', 'invoke', 9, 1],
        ...whole('work', 10, 1, 'g', 'fail'),
        ...works,
        ['work', 'ok', 9, 1],
        ...ends,
      ),
    )
    expect(result).toMatchObject({ ok: true, works: 5, failed: 1 })
  })

  test('[SP9] a dead letter holds back nothing', () => {
    const order = [...whole('work', 4, 2), ...whole('work', 5, 3, 'h'), ...whole('work', 3, 1, 'g', 'fail')]
    const result = checkFifoGroups(history(...enqueues, ...order, ...whole('dead', 6, 1), ...ends.slice(2)))
    expect(result).toMatchObject({ ok: true, done: 2, dead: 1, ordered: 0 })
  })

  test.each([
    ['worked on out of order', [...enqueues, ...works.slice(2, 4), ...works.slice(0, 2), ...works.slice(4), ...ends]],
    [
      'worked on at the same time',
      [...enqueues, works[0]!, works[2]!, works[1]!, works[3]!, ...works.slice(4), ...ends],
    ],
    ['acked and lost', [...enqueues, ...works, ...ends.slice(2)]],
    ['done by nobody', [...enqueues, ...works.slice(2), ...ends]],
    ['done and dead', [...enqueues, ...works, ...ends, ...whole('dead', 9, 1)]],
    ['worked on and never enqueued', [...enqueues, ...works, ...whole('work', 9, 7), ...ends]],
    [
      'worked on though its enqueue failed',
      [...enqueues, ...whole('enqueue', 9, 7, 'g', 'fail'), ...works, ...whole('work', 10, 7), ...ends],
    ],
    ['worked on too early', [...works.slice(0, 2), ...enqueues, ...works.slice(2), ...ends]],
  ] as const)('[SP9] [UN3] planted: %s', (_, steps) => {
    expect(checkFifoGroups(history(...steps))).toMatchObject({ ok: false })
  })
})
