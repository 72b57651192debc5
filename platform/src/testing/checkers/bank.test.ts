import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkBank } from './bank.ts'
import type { HistoryEvent } from './history.ts'
import { operationsOf, type RecordedOperation } from './operations.ts'

type Step = readonly [f: string, input: unknown, value?: unknown, end?: 'ok' | 'fail' | 'info', key?: string]

/** Operations one after the other. */
function inTurn(steps: readonly Step[]): readonly HistoryEvent[] {
  return steps.flatMap(([f, input, value, end = 'ok', key], op): HistoryEvent[] => [
    { process: op, type: 'invoke', f, key, value: input, time: op * 2, op },
    { process: op, type: end, f, key, value: value ?? input, time: op * 2 + 1, op },
  ])
}

const init: Step = ['init', { ann: 10, bob: 10 }]
const move = (amount: number, end: 'ok' | 'fail' | 'info' = 'ok'): Step => [
  'transfer',
  { from: 'ann', to: 'bob', amount },
  undefined,
  end,
]
const read = (ann: number, bob: number): Step => ['balances', undefined, { ann, bob }]

describe('bank', () => {
  test('[A1] readings that acked and unknown transfers explain', () => {
    const steps = [init, read(10, 10), move(3), read(7, 13), move(2, 'info'), move(9, 'fail'), read(7, 13), read(5, 15)]
    expect(checkBank(inTurn(steps))).toEqual({ ok: true, total: 20, acked: 1, unknown: 1, readings: 4, summed: 4 })
  })

  test.each([
    ['money that was made', [init, read(10, 13)], 'sums to 23, 3 more than the total of 20'],
    ['half of an unknown transfer', [init, move(3, 'info'), read(7, 10)], 'sums to 17, 3 less'],
    ['an account that is lost', [init, ['balances', undefined, { ann: 20 }]], 'does not name bob'],
    ['an account from nowhere', [init, ['balances', undefined, { ann: 5, bob: 10, cid: 5 }]], 'names cid'],
    ['an acked transfer that is lost', [init, move(3), read(10, 10)], 'No order of the transfers'],
    ['a failed transfer that happened', [init, move(3, 'fail'), read(7, 13)], 'No order of the transfers'],
    ['a transfer that happened twice', [init, move(3), read(4, 16)], 'No order of the transfers'],
    ['an unknown transfer taken back', [init, move(3, 'info'), read(7, 13), read(10, 10)], 'No order of the transfers'],
  ] as const)('[A1] [UN2] found: %s', (_, steps, why) => {
    const result = checkBank(inTurn(steps))
    expect(result).toMatchObject({ ok: false, decided: true })
    expect(result).toHaveProperty('why', expect.stringContaining(why))
  })

  test('branches are read at their own instants: a reading without a key is one of each', () => {
    const steps: readonly Step[] = [
      ['init', { a1: 5, a2: 5 }, undefined, 'ok', 'a'],
      ['init', { b1: 5, b2: 5 }, undefined, 'ok', 'b'],
      ['transfer', { from: 'a1', to: 'a2', amount: 1 }, undefined, 'ok', 'a'],
      ['balances', undefined, { a1: 4, a2: 6 }, 'ok', 'a'],
      ['balances', undefined, { a1: 4, a2: 6, b1: 5, b2: 5 }],
    ]
    expect(checkBank(inTurn(steps))).toMatchObject({ ok: true, total: 20, summed: 2 })
    const stale: Step = ['balances', undefined, { a1: 5, a2: 5, b1: 5, b2: 5 }]
    expect(checkBank(inTurn([...steps, stale]))).toHaveProperty('why', expect.stringContaining("group 'a'"))
  })

  test('a search that is cut short is undecided', () => {
    const steps = [init, ...[1, 2, 4, 8].map((amount) => move(amount, 'info')), read(-1, 21), read(10, 10)]
    expect(checkBank(inTurn(steps), { budget: 3 })).toMatchObject({ ok: false, decided: false })
    expect(checkBank(inTurn(steps))).toMatchObject({ ok: false, decided: true })
  })

  test('many unknown transfers are decided where readings follow them', () => {
    const steps: Step[] = [['init', { ann: 1_000, bob: 1_000 }]]
    let moved = 0
    for (let n = 1; n <= 60; n++) {
      const lost = n % 3 === 0
      steps.push(move(n, lost ? 'info' : 'ok'))
      if (!lost || n % 2 === 0) moved += n
      steps.push(read(1_000 - moved, 1_000 + moved))
    }
    expect(checkBank(inTurn(steps))).toMatchObject({ ok: true, unknown: 20 })
  })
})

/** The naive twin: every order of every choice of unknown operations. */
function isExplained(operations: readonly RecordedOperation[]): boolean {
  const telling = operations.filter(({ f, completion }) =>
    f === 'balances' ? completion.kind === 'ok' : completion.kind !== 'fail',
  )
  const extend = (ann: number, bob: number, left: readonly RecordedOperation[]): boolean => {
    if (left.every(({ known }) => !known)) return true
    return left.some((one) => {
      if (left.some((other) => other.completed < one.invoked)) return false
      const rest = left.filter((other) => other !== one)
      const told: unknown = one.completion.kind === 'ok' ? one.completion.value : undefined
      if (one.f === 'balances') {
        return JSON.stringify(told) === JSON.stringify({ ann, bob }) && extend(ann, bob, rest)
      }
      const amount = Number(JSON.stringify(one.input).replace(/\D/g, ''))
      return extend(ann - amount, bob + amount, rest)
    })
  }
  return extend(10, 10, telling.slice(1))
}

const operation = fc.record({
  f: fc.constantFrom('transfer', 'balances'),
  amount: fc.integer({ min: 1, max: 3 }),
  balance: fc.integer({ min: 6, max: 10 }),
  end: fc.constantFrom('ok', 'ok', 'ok', 'info', 'fail'),
  lasts: fc.integer({ min: 0, max: 4 }),
})

test('[A1] random small histories: the checker = every order tried one after the other', () => {
  const counts = { explained: 0, impossible: 0 }
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 6 }), (planned) => {
      const placed = planned.flatMap(({ f, amount, balance, end, lasts }, at) => {
        const op = at + 1
        const input = f === 'transfer' ? { from: 'ann', to: 'bob', amount } : undefined
        const told = f === 'transfer' ? input : { ann: balance, bob: 20 - balance }
        return [
          { at: op, event: { process: op, type: 'invoke', f, value: input, time: op, op } as const },
          { at: op + lasts + 0.5, event: { process: op, type: end, f, value: told, time: op, op } as const },
        ]
      })
      const later = placed.toSorted((a, b) => a.at - b.at).map(({ event }) => event)
      const history = [...inTurn([init]), ...later]
      const expected = isExplained(operationsOf(history))
      counts[expected ? 'explained' : 'impossible'] += 1
      expect(checkBank(history).ok).toBe(expected)
    }),
    { numRuns: 2_000 },
  )
  expect(Math.min(counts.explained, counts.impossible)).toBeGreaterThan(100)
})
