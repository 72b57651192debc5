import { expect, test } from 'vitest'
import { HistoryRecorder } from './history.ts'
import { joinTries } from './join-tries.ts'
import { checkRegisters } from './registers.ts'

const asked = { f: 'insert', key: 'a', value: 1, session: 's', request: 1 } as const

/** Two clients ask for the same; how each try ends, in the order in which it does. */
function history(first: 'ok' | 'info' | 'NOT_PRIMARY', second: 'ok' | 'info' | 'ENTRY_EXISTS') {
  let now = 0
  const recorder = new HistoryRecorder({ monotonic: () => ++now })
  const [one, other] = [recorder.nextProcess(), recorder.nextProcess()]
  const tries = [recorder.invoke(one, asked), recorder.invoke(other, asked)]
  const end = (process: number, op: number, how: string): void => {
    if (how === 'ok' || how === 'info') recorder.complete(process, op, how, asked, { value: 1 })
    else recorder.complete(process, op, 'fail', asked, { value: 1, error: how })
  }
  end(one, tries[0]!, first)
  end(other, tries[1]!, second)
  return recorder.events
}

test('[SP12] tries of one request are one operation, from the first invocation to the first answer', () => {
  const joined = joinTries(history('ok', 'ok'))
  expect(joined.map(({ type, process, op }) => [type, process, op])).toEqual([
    ['invoke', 'request 1 of session s', 0],
    ['ok', 'request 1 of session s', 0],
  ])
  // Two inserts that were both acked would be a violation; one that was asked twice is none.
  expect(checkRegisters(history('ok', 'ok'))).toMatchObject({ ok: false })
  expect(checkRegisters(joined)).toMatchObject({ ok: true, operations: 1 })
})

test('a try that was turned away, or that nobody knows of, is not its answer', () => {
  expect(joinTries(history('NOT_PRIMARY', 'ENTRY_EXISTS')).at(-1)).toMatchObject({
    type: 'fail',
    error: 'ENTRY_EXISTS',
  })
  expect(joinTries(history('info', 'ok')).map(({ type, time }) => [type, time])).toEqual([
    ['invoke', 1_000_000],
    ['ok', 4_000_000],
  ])
  expect(joinTries(history('NOT_PRIMARY', 'info')).map(({ type }) => type)).toEqual(['invoke'])
})

test('operations that are no requests stay as they are', async () => {
  let now = 0
  const recorder = new HistoryRecorder({ monotonic: () => ++now })
  await recorder.client().run({ f: 'read', key: 'a' }, () => Promise.resolve(null))
  expect(joinTries(recorder.events)).toEqual(recorder.events)
})
