import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkAckedSet } from './acked-set.ts'
import type { HistoryEvent } from './history.ts'
import { operationsOf, type RecordedOperation } from './operations.ts'

type Step = readonly [f: string, value: unknown, end?: 'ok' | 'fail' | 'info']

/** Operations one after the other. */
function inTurn(steps: readonly Step[]): readonly HistoryEvent[] {
  return steps.flatMap(([f, value, end = 'ok'], op): HistoryEvent[] => {
    const input = f === 'read' ? undefined : value
    return [
      { process: op, type: 'invoke', f, value: input, time: op * 2, op },
      { process: op, type: end, f, value, time: op * 2 + 1, op },
    ]
  })
}

describe('acked set', () => {
  test('[A1] what was acked is found, what failed is not, what is unknown may be either', () => {
    const steps: readonly Step[] = [
      ['write', 1],
      ['write', 2, 'fail'],
      ['write', 3, 'info'],
      ['read', [1]],
      ['read', [3, 1]],
      ['delete', 1],
      ['read', [3]],
    ]
    expect(checkAckedSet(inTurn(steps))).toEqual({ ok: true, values: 2, acked: 1, unknown: 1, reads: 3 })
  })

  test.each([
    [
      'an acked write that is lost',
      [
        ['write', 1],
        ['read', []],
      ],
      'although write 0 was acked',
      4,
    ],
    [
      'a value that nobody wrote',
      [
        ['write', 1],
        ['read', [1, 2]],
      ],
      'nobody had written.',
      2,
    ],
    [
      'a failed write that happened',
      [
        ['write', 1, 'fail'],
        ['read', [1]],
      ],
      'but for write 0, which failed',
      4,
    ],
    [
      'a removed value that came back',
      [
        ['write', 1],
        ['delete', 1],
        ['read', [1]],
      ],
      'had been removed',
      6,
    ],
    [
      'a value found twice',
      [
        ['write', 1],
        ['read', [1, 1]],
      ],
      'found 1 twice',
      2,
    ],
    [
      'an unknown write seen, then not',
      [
        ['write', 1, 'info'],
        ['read', [1]],
        ['read', []],
      ],
      'an earlier read',
      6,
    ],
  ] as const)('[A1] found: %s', (_, steps, why, shown) => {
    const result = checkAckedSet(inTurn(steps))
    expect(result).toMatchObject({ ok: false, decided: true })
    expect(result).toHaveProperty('why', expect.stringContaining(why))
    expect(result).toHaveProperty('evidence.length', shown)
  })

  test('[SP8] what the journal shows to have expired may be gone, and stays gone', () => {
    const lost: readonly Step[] = [
      ['write', 1],
      ['read', []],
    ]
    expect(checkAckedSet(inTurn(lost), { gone: [1] }).ok).toBe(true)
    expect(checkAckedSet(inTurn(lost), { gone: [2] }).ok).toBe(false)
    expect(checkAckedSet(inTurn([...lost, ['read', [1]]]), { gone: [1] }).ok).toBe(false)
  })

  test('a search that is cut short is undecided', () => {
    const steps: readonly Step[] = [
      ['write', 1, 'info'],
      ['delete', 1, 'info'],
      ['read', [1]],
      ['read', []],
      ['read', [1]],
    ]
    expect(checkAckedSet(inTurn(steps), { budget: 1 })).toMatchObject({ ok: false, decided: false })
    expect(checkAckedSet(inTurn(steps))).toMatchObject({ ok: false, decided: true })
  })
})

/** The naive twin: for each value every order of every choice of unknown operations. */
function isExplained(operations: readonly RecordedOperation[]): boolean {
  const telling = operations.filter(({ completion, f }) =>
    f === 'read' ? completion.kind === 'ok' : completion.kind !== 'fail',
  )
  const explains = (value: number, present: boolean, left: readonly RecordedOperation[]): boolean => {
    if (left.every(({ known }) => !known)) return true
    return left.some((one) => {
      if (left.some((other) => other.completed < one.invoked)) return false
      const rest = left.filter((other) => other !== one)
      if (one.f !== 'read') return explains(value, one.f === 'write', rest)
      const list = one.completion.kind === 'ok' && Array.isArray(one.completion.value) ? one.completion.value : []
      return list.includes(value) === present && explains(value, present, rest)
    })
  }
  return [1, 2].every((value) =>
    explains(
      value,
      false,
      telling.filter(({ f, input }) => f === 'read' || input === value),
    ),
  )
}

const operation = fc.record({
  f: fc.constantFrom('write', 'write', 'delete', 'read'),
  value: fc.constantFrom(1, 2),
  list: fc.subarray([1, 2]),
  end: fc.constantFrom('ok', 'ok', 'ok', 'info', 'fail'),
  /** How many later events come before its completion. */
  lasts: fc.integer({ min: 0, max: 4 }),
})

test('[A1] random small histories: the checker = every order tried one after the other', () => {
  const counts = { explained: 0, impossible: 0 }
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 6 }), (planned) => {
      const placed = planned.flatMap(({ f, value, list, end, lasts }, op) => {
        const input = f === 'read' ? undefined : value
        const told = f === 'read' && end === 'ok' ? list : input
        return [
          { at: op, event: { process: op, type: 'invoke', f, value: input, time: op, op } as const },
          { at: op + lasts + 0.5, event: { process: op, type: end, f, value: told, time: op, op } as const },
        ]
      })
      const history = placed.toSorted((a, b) => a.at - b.at).map(({ event }) => event)
      const expected = isExplained(operationsOf(history))
      counts[expected ? 'explained' : 'impossible'] += 1
      expect(checkAckedSet(history).ok).toBe(expected)
    }),
    { numRuns: 2_000 },
  )
  expect(Math.min(counts.explained, counts.impossible)).toBeGreaterThan(100)
})
