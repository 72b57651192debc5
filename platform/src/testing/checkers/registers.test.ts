import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HistoryEvent } from './history.ts'
import { operationsOf, type RecordedOperation } from './operations.ts'
import { checkRegisters } from './registers.ts'

type Line = readonly [
  process: number,
  type: HistoryEvent['type'],
  f: string,
  value?: unknown,
  more?: { readonly version?: number; readonly error?: string; readonly key?: string },
]

/** A history of one register from short lines; each process has one operation at a time. */
function historyOf(lines: readonly Line[]): readonly HistoryEvent[] {
  const open = new Map<number, number>()
  let ops = 0
  return lines.map(([process, type, f, value, more], time) => {
    const op = type === 'invoke' ? ops++ : open.get(process)!
    open.set(process, op)
    return { process, type, f, key: 'a', value, ...more, time, op }
  })
}

describe('registers', () => {
  test('[SP1] a history that runs one after the other is explained, versions and failed conditions included', () => {
    const result = checkRegisters(
      historyOf([
        [0, 'invoke', 'read'],
        [0, 'ok', 'read', null],
        [0, 'invoke', 'insert', 1],
        [0, 'ok', 'insert', 1, { version: 1 }],
        [0, 'invoke', 'insert', 2],
        [0, 'fail', 'insert', 2, { error: 'ENTRY_EXISTS' }],
        [0, 'invoke', 'cas', [1, 3]],
        [0, 'ok', 'cas', [1, 3], { version: 2 }],
        [0, 'invoke', 'cas', [1, 4]],
        [0, 'fail', 'cas', [1, 4], { error: 'MISMATCH' }],
        [0, 'invoke', 'take'],
        [0, 'ok', 'take', 3],
        [0, 'invoke', 'update', 5],
        [0, 'fail', 'update', 5, { error: 'ENTRY_MISSING' }],
        [0, 'invoke', 'write', 6],
        [0, 'ok', 'write', 6, { version: 1 }],
        [0, 'invoke', 'delete'],
        [0, 'ok', 'delete', true],
      ]),
    )
    expect(result).toMatchObject({ ok: true, keys: 1, operations: 9 })
  })

  test('[A3] a read that went back in time is found, with the operations that show it', () => {
    const result = checkRegisters(
      historyOf([
        [0, 'invoke', 'write', 1],
        [0, 'ok', 'write', 1],
        [0, 'invoke', 'write', 2],
        [0, 'ok', 'write', 2],
        [1, 'invoke', 'read'],
        [1, 'ok', 'read', 1],
        [1, 'invoke', 'read'],
        [1, 'ok', 'read', 2],
      ]),
    )
    expect(result).toMatchObject({ ok: false, decided: true })
    if (result.ok) return
    expect(result.why).toContain('operation 2, read, answered 1: the register could be 2')
    expect(result.evidence.map(({ op }) => op)).toEqual([1, 1, 2, 2])
  })

  test('[A3] an answer that left before its ack: one reader saw what a later one did not', () => {
    const lines: readonly Line[] = [
      [0, 'invoke', 'write', 1],
      [1, 'invoke', 'read'],
      [1, 'ok', 'read', 1],
      [2, 'invoke', 'read'],
      [2, 'ok', 'read', null],
      [0, 'info', 'write', 1, { error: 'UNKNOWN_OUTCOME' }],
    ]
    expect(checkRegisters(historyOf(lines))).toMatchObject({ ok: false, decided: true })
    expect(checkRegisters(historyOf(lines.toSpliced(3, 2)))).toMatchObject({ ok: true })
  })

  test('[SP12] a write that was applied twice shows in its version', () => {
    const lines = (version: number): readonly Line[] => [
      [0, 'invoke', 'write', 1],
      [0, 'ok', 'write', 1, { version: 1 }],
      [0, 'invoke', 'read'],
      [0, 'ok', 'read', 1, { version }],
    ]
    expect(checkRegisters(historyOf(lines(1))).ok).toBe(true)
    expect(checkRegisters(historyOf(lines(2))).ok).toBe(false)
  })

  test('an unknown write may take effect long after, once, or never', () => {
    const lines = (...reads: readonly (number | null)[]): readonly Line[] => [
      [0, 'invoke', 'write', 1],
      [0, 'info', 'write', 1],
      ...reads.flatMap((value): readonly Line[] => [
        [1, 'invoke', 'read'],
        [1, 'ok', 'read', value],
      ]),
    ]
    expect(checkRegisters(historyOf(lines(null, null))).ok).toBe(true)
    expect(checkRegisters(historyOf(lines(null, 1))).ok).toBe(true)
    expect(checkRegisters(historyOf(lines(1, null))).ok).toBe(false)
  })

  test('two takers of one value are found', () => {
    const result = checkRegisters(
      historyOf([
        [0, 'invoke', 'write', 1],
        [0, 'ok', 'write', 1],
        [1, 'invoke', 'take'],
        [2, 'invoke', 'take'],
        [1, 'ok', 'take', 1],
        [2, 'ok', 'take', 1],
      ]),
    )
    expect(result.ok).toBe(false)
  })

  test('a search that is cut short is undecided, which is not ok', () => {
    const writes = Array.from({ length: 12 }, (_, n): Line => [n, 'invoke', 'write', n])
    const lines: readonly Line[] = [...writes, [50, 'invoke', 'read'], [50, 'ok', 'read', 99]]
    const result = checkRegisters(historyOf(lines), { budget: 1 })
    expect(result).toMatchObject({ ok: false, decided: false })
    expect(result).toHaveProperty('why', expect.stringContaining('within 1 steps'))
    expect(checkRegisters(historyOf(lines))).toMatchObject({ ok: false, decided: true })
  })

  test('long histories with many unknown writes are decided', () => {
    const lines: Line[] = []
    for (let n = 0; n < 400; n++) {
      const process = 1_000 + n
      lines.push([process, 'invoke', 'write', n])
      if (n % 10 === 0) lines.push([process, 'info', 'write', n])
      else lines.push([process, 'ok', 'write', n], [1, 'invoke', 'read'], [1, 'ok', 'read', n])
    }
    expect(checkRegisters(historyOf(lines))).toMatchObject({ ok: true, operations: 760 })
    expect(checkRegisters(historyOf([...lines, [1, 'invoke', 'read'], [1, 'ok', 'read', 398]]))).toMatchObject({
      ok: false,
      decided: true,
    })
  })
})

/** The naive twin: every order of every choice of unknown operations, one after the other. */
function isExplained(operations: readonly RecordedOperation[]): boolean {
  const extend = (value: unknown, version: number, left: readonly RecordedOperation[]): boolean => {
    if (left.every(({ known }) => !known)) return true
    return left.some((one) => {
      if (left.some((other) => other !== one && other.completed < one.invoked)) return false
      const after = applied(value, version, one)
      return (
        after !== undefined &&
        extend(
          after[0],
          after[1],
          left.filter((other) => other !== one),
        )
      )
    })
  }
  return extend(null, 0, operations)
}

function applied(value: unknown, version: number, one: RecordedOperation): readonly [unknown, number] | undefined {
  const { f, completion } = one
  const told = completion.kind === 'ok' ? completion : undefined
  if (completion.kind === 'fail' && !['MISMATCH', 'ENTRY_EXISTS', 'ENTRY_MISSING'].includes(completion.error ?? '')) {
    return [value, version]
  }
  const input = f === 'cas' && Array.isArray(one.input) ? one.input : [value, one.input]
  const possible =
    f === 'cas' ? value === input[0] : f === 'insert' ? value === null : f === 'update' ? value !== null : true
  if (completion.kind === 'fail') return possible ? undefined : [value, version]
  if (!possible) return undefined
  if (f === 'read' || f === 'take') {
    const fits = told === undefined || (told.value === value && (told.version ?? version) === version)
    return fits ? [f === 'take' ? null : value, f === 'take' ? 0 : version] : undefined
  }
  if (f === 'delete') return told?.value !== undefined && told.value !== (value !== null) ? undefined : [null, 0]
  const grown = version + 1
  return told?.version !== undefined && told.version !== grown ? undefined : [input[1], grown]
}

interface Plan {
  readonly process: number
  readonly f: string
  readonly value: number
  readonly expected: number | null
  readonly answer: number | null
  readonly end: 'ok' | 'condition' | 'info' | 'refused'
  readonly version: number | undefined
}

const value = fc.integer({ min: 1, max: 3 })
const plan: fc.Arbitrary<Plan> = fc.record({
  process: fc.integer({ min: 0, max: 2 }),
  f: fc.constantFrom('read', 'read', 'write', 'cas', 'insert', 'update', 'take', 'delete'),
  value,
  expected: fc.option(value),
  answer: fc.option(value),
  end: fc.constantFrom('ok', 'ok', 'ok', 'condition', 'info', 'refused'),
  version: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 }),
})

/** Lets the processes run their plans in the given order of turns: the first turn of one invokes, the next completes. */
function interleaved(plans: readonly Plan[], turns: readonly number[]): readonly HistoryEvent[] {
  const events: HistoryEvent[] = []
  const open = new Map<number, { readonly plan: Plan; readonly op: number; readonly process: number }>()
  const queues = [0, 1, 2].map((process) => plans.filter((one) => one.process === process))
  let names = 3
  const turn = (process: number): void => {
    const running = open.get(process)
    if (running !== undefined) {
      events.push(ended(running.plan, running.process, running.op, events.length))
      open.delete(process)
      return
    }
    const next = queues[process]!.shift()
    if (next === undefined) return
    const op = plans.indexOf(next)
    const name = names++
    const input = next.f === 'cas' ? [next.expected, next.value] : next.value
    events.push({ process: name, type: 'invoke', f: next.f, key: 'a', value: input, time: events.length, op })
    open.set(process, { plan: next, op, process: name })
  }
  for (const process of turns) turn(process)
  return events
}

function ended(one: Plan, process: number, op: number, time: number): HistoryEvent {
  const event = { process, f: one.f, key: 'a', time, op }
  const condition = { cas: 'MISMATCH', insert: 'ENTRY_EXISTS', update: 'ENTRY_MISSING' }[one.f]
  if (one.end === 'info') return { ...event, type: 'info' }
  if (one.end === 'refused') return { ...event, type: 'fail', error: 'OVERLOADED' }
  if (one.end === 'condition' && condition !== undefined) return { ...event, type: 'fail', error: condition }
  if (one.f === 'delete') return { ...event, type: 'ok' }
  if (one.f === 'take') return { ...event, type: 'ok', value: one.answer }
  const version = one.f === 'read' && one.answer === null ? undefined : one.version
  return { ...event, type: 'ok', value: one.f === 'read' ? one.answer : one.value, version }
}

test('[A3] random small histories: the search = every order tried one after the other', () => {
  const counts = { explained: 0, impossible: 0 }
  fc.assert(
    fc.property(
      fc.array(plan, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 14, maxLength: 14 }),
      (plans, turns) => {
        const history = interleaved(plans, turns)
        const expected = isExplained(operationsOf(history))
        counts[expected ? 'explained' : 'impossible'] += 1
        expect(checkRegisters(history).ok).toBe(expected)
      },
    ),
    { numRuns: 3_000 },
  )
  expect(Math.min(counts.explained, counts.impossible)).toBeGreaterThan(100)
})
