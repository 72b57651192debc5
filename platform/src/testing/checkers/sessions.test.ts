import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HistoryEvent } from './history.ts'
import type { DumpLine } from './journal-dump.ts'
import { checkSessions } from './sessions.ts'

interface Try {
  readonly request: number | string
  readonly session?: string
  readonly end: 'ok' | 'fail' | 'info'
  readonly value?: unknown
  readonly error?: string
}

/** The tries one after the other. */
function inTurn(tries: readonly Try[]): readonly HistoryEvent[] {
  return tries.flatMap(({ request, session, end, value, error }, op): HistoryEvent[] => {
    const of = { process: op, f: 'write', key: 'a', session, request, op }
    return [
      { ...of, type: 'invoke', time: op * 2 },
      { ...of, type: end, value, error, time: op * 2 + 1 },
    ]
  })
}

const at = (index: number, kind: string, request: number | string = 1, session = 's'): DumpLine =>
  typeof request === 'string' ? { partition: 0, index, kind, request } : { partition: 0, index, kind, session, request }

describe('sessions', () => {
  test('[SP12] a request that was sent twice, applied once and answered alike', () => {
    const tries: readonly Try[] = [
      { request: 1, session: 's', end: 'info' },
      { request: 1, session: 's', end: 'ok', value: 7 },
      { request: 1, session: 's', end: 'ok', value: 7 },
      { request: 'click', end: 'fail', error: 'REFUSED' },
      { request: 'click', end: 'fail', error: 'OVERLOADED' },
      { request: 2, session: 's', end: 'info' },
    ]
    const dump = [at(3, 'changed'), at(3, 'answered'), at(4, 'answered', 'click')]
    expect(checkSessions(inTurn(tries), dump)).toEqual({ ok: true, requests: 3, repeated: 2, answered: 2 })
  })

  test.each<readonly [string, readonly Try[], readonly DumpLine[], string]>([
    [
      'effects in two records',
      [{ request: 1, session: 's', end: 'ok' }],
      [at(3, 'changed'), at(3, 'answered'), at(5, 'changed'), at(5, 'answered')],
      'more than once: at 3 of partition 0 and at 5 of partition 0',
    ],
    [
      'effects twice in one record',
      [{ request: 1, session: 's', end: 'ok' }],
      [at(3, 'changed'), at(3, 'answered'), at(3, 'changed'), at(3, 'answered')],
      '2 times in one record',
    ],
    ['an acked request that is lost', [{ request: 1, session: 's', end: 'ok' }], [], 'does not hold it'],
    [
      'another answer to the same request',
      [
        { request: 'k', end: 'ok', value: 1 },
        { request: 'k', end: 'ok', value: 2 },
      ],
      [at(3, 'answered', 'k')],
      'tries 0 and 1 got different answers',
    ],
    [
      'a failure after an ack',
      [
        { request: 'k', end: 'ok', value: 1 },
        { request: 'k', end: 'fail', error: 'ENTRY_EXISTS' },
      ],
      [at(3, 'answered', 'k')],
      'different answers',
    ],
    [
      'effects of a refused request',
      [{ request: 1, session: 's', end: 'fail', error: 'REFUSED' }],
      [at(3, 'changed'), at(3, 'answered')],
      'told that nothing happened, but the journal holds 1 effects',
    ],
    [
      'effects of a request that was said not to have run',
      [{ request: 1, session: 's', end: 'fail', error: 'JOURNAL_FULL' }],
      [at(3, 'changed'), at(3, 'answered')],
      'told that nothing happened',
    ],
  ])('[SP12] [SP13] found: %s', (_, tries, dump, why) => {
    const result = checkSessions(inTurn(tries), dump)
    expect(result).toMatchObject({ ok: false, decided: true })
    expect(result).toHaveProperty('why', expect.stringContaining(why))
    expect(result).toHaveProperty('evidence.length', tries.length * 2 + dump.length)
  })
})

/** The naive twin: each rule as a count over every pair. */
function isExactlyOnce(tries: readonly Try[], dump: readonly DumpLine[]): boolean {
  return ['k', 'l'].every((request) => {
    const own = tries.filter((one) => one.request === request)
    const lines = dump.filter((line) => line.request === request)
    const answers = lines.filter(({ kind }) => kind === 'answered').length
    if (answers > 1 || lines.some((a) => lines.some((b) => a.index !== b.index))) return false
    const ok = own.filter(({ end }) => end === 'ok')
    const refused = own.filter(({ end, error }) => end === 'fail' && error === 'REFUSED')
    if (ok.length > 0 && (refused.length > 0 || lines.length === 0)) return false
    if (ok.some((a) => ok.some((b) => a.value !== b.value))) return false
    const nothing = refused.length > 0 || (own.length > 0 && own.every(({ end }) => end === 'fail'))
    return !nothing || lines.every(({ kind }) => kind === 'answered')
  })
}

const request = fc.constantFrom('k', 'l')
const attempt: fc.Arbitrary<Try> = fc.oneof(
  fc.record({ request, end: fc.constant('ok'), value: fc.constantFrom(1, 1, 2) }),
  fc.record({ request, end: fc.constant('fail'), error: fc.constantFrom('REFUSED', 'OVERLOADED') }),
  fc.record({ request, end: fc.constant('info') }),
)
const line = fc.record({
  partition: fc.constant(0),
  index: fc.constantFrom(3, 3, 3, 4),
  kind: fc.constantFrom('changed', 'answered'),
  request,
})

test('[SP12] random small histories: the checker = the rules counted naively', () => {
  const counts = { sound: 0, broken: 0 }
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 4 }), fc.array(line, { maxLength: 4 }), (tries, dump) => {
      const expected = isExactlyOnce(tries, dump)
      counts[expected ? 'sound' : 'broken'] += 1
      expect(checkSessions(inTurn(tries), dump).ok).toBe(expected)
    }),
    { numRuns: 2_000 },
  )
  expect(Math.min(counts.sound, counts.broken)).toBeGreaterThan(100)
})
