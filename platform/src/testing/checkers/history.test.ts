import { expect, test } from 'vitest'
import { PlenumError } from '../../kernel/index.ts'
import { certainlyNothing, HistoryRecorder, jsonLines, readHistory } from './history.ts'
import { operationsOf } from './operations.ts'

/** A clock that moves by one millisecond with each reading. */
function steppingClock(): { monotonic(): number } {
  let now = 0
  return { monotonic: () => ++now }
}

test('lines are as outside checkers expect them: nanoseconds, canonical values, nothing that is absent', async () => {
  const recorder = new HistoryRecorder(steppingClock())
  const client = recorder.client()
  await client.run(
    { f: 'write', key: 'a', value: { b: 2n, a: new Uint8Array([10, 255]) } },
    async () => 3,
    (version) => ({
      value: 7,
      version,
    }),
  )
  expect(recorder.toJsonLines()).toBe(
    '{"process":0,"type":"invoke","f":"write","key":"a","value":{"a":{"$bytes":"0aff"},"b":{"$bigint":"2"}},"time":1000000,"op":0}\n' +
      '{"process":0,"type":"ok","f":"write","key":"a","value":7,"version":3,"time":2000000,"op":0}\n',
  )
})

test('[SP13] what nobody knows is info, and its client goes on as another process; a certain failure is fail', async () => {
  const recorder = new HistoryRecorder(steppingClock())
  const client = recorder.client()
  const failing = (error: unknown): Promise<unknown> =>
    client.run({ f: 'write', key: 'a', value: 1 }, () => Promise.reject(error))
  await expect(failing(new PlenumError('ENTRY_EXISTS', 'there'))).rejects.toThrow('there')
  await expect(failing(new PlenumError('UNKNOWN_OUTCOME', 'lost'))).rejects.toThrow('lost')
  await expect(failing(new Error('a defect'))).rejects.toThrow('a defect')
  await expect(
    failing(new PlenumError('REFUSED', 'no', { details: { reason: 'INSUFFICIENT_FUNDS' } })),
  ).rejects.toThrow('no')
  const ends = recorder.events.filter(({ type }) => type !== 'invoke')
  expect(ends.map(({ type, process, error }) => [type, process, error])).toEqual([
    ['fail', 0, 'ENTRY_EXISTS'],
    ['info', 0, 'UNKNOWN_OUTCOME'],
    ['info', 1, 'INVARIANT_BROKEN'],
    ['fail', 2, 'INSUFFICIENT_FUNDS'],
  ])
  expect(certainlyNothing(new PlenumError('TIMEOUT', 'late'))).toBe(false)
})

test('a history is read back as it was written, and a line that is no event is named', async () => {
  const recorder = new HistoryRecorder(steppingClock())
  await recorder.client().run({ f: 'read', key: 'a', session: 's', request: 4 }, async () => null)
  const text = recorder.toJsonLines()
  expect(jsonLines(readHistory(text))).toBe(text)
  expect(() => readHistory(`${text}{"process":1}\n`)).toThrow('Line 3')
  expect(() => readHistory('not json\n')).toThrow('Line 1')
})

test('an invocation without a completion is unknown, and a history that contradicts itself is refused', () => {
  const [operation] = operationsOf([{ process: 0, type: 'invoke', f: 'write', key: 'a', value: 1, time: 0, op: 0 }])
  expect(operation).toMatchObject({ known: false, completed: Infinity, completion: { kind: 'unknown' } })
  const begin = { process: 0, type: 'invoke', f: 'read', time: 0 } as const
  const end = { process: 0, type: 'ok', f: 'read', time: 1 } as const
  expect(() =>
    operationsOf([
      { ...begin, op: 0 },
      { ...begin, op: 1 },
    ]),
  ).toThrow('not free')
  expect(() => operationsOf([{ ...end, op: 0 }])).toThrow('not open')
  expect(() =>
    operationsOf([
      { ...begin, op: 0 },
      { ...end, op: 0 },
      { ...begin, op: 0 },
    ]),
  ).toThrow('invoked before')
  const info = { ...end, type: 'info', op: 0 } as const
  expect(() => operationsOf([{ ...begin, op: 0 }, info, { ...begin, op: 1 }])).toThrow('not free')
})
