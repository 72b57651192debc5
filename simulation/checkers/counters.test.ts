import { PlenumError } from 'plenum'
import { HistoryRecorder } from 'plenum/testing'
import { expect, test } from 'vitest'
import { checkCounters } from './counters.ts'

/** A history of additions to one counter: what each answered, or how it failed. */
async function history(
  additions: readonly { readonly by: number; readonly request?: string; readonly told: number | 'UNKNOWN_OUTCOME' }[],
) {
  const recorder = new HistoryRecorder({ monotonic: () => 0 })
  const client = recorder.client()
  for (const { by, request, told } of additions) {
    const call = () =>
      told === 'UNKNOWN_OUTCOME' ? Promise.reject(new PlenumError(told, 'nobody knows')) : Promise.resolve(told)
    await client.run({ f: 'add', key: 'c', value: by, request }, call).catch(() => undefined)
  }
  return recorder.events
}

const additions = [
  { by: 5, request: 'key', told: 5 },
  { by: 5, request: 'key', told: 5 },
  { by: 3, told: 'UNKNOWN_OUTCOME' },
] as const

test('what was acked is there, once for each request, and what nobody knows may be', async () => {
  const events = await history(additions)
  for (const total of [5, 8]) expect(checkCounters(events, new Map([['c', total]]))).toMatchObject({ ok: true })
})

test('[SP12] an addition that is missing, or that was made twice, is found', async () => {
  const events = await history(additions)
  for (const total of [0, 10, 13]) {
    expect(checkCounters(events, new Map([['c', total]]))).toMatchObject({
      ok: false,
      why: `Counter 'c' is at ${total}; what was added makes 5 to 8.`,
    })
  }
})

test('two requests that were told one total are found', async () => {
  const events = await history([
    { by: 5, told: 5 },
    { by: 5, told: 5 },
  ])
  expect(checkCounters(events, new Map([['c', 10]]))).toMatchObject({
    ok: false,
    why: "Two requests were told that 'c' is at 5.",
  })
})
