import { HistoryRecorder } from 'plenum/testing'
import { expect, test } from 'vitest'
import { checkHolds } from './holds.ts'

/** A history of one hold: each operation takes 1 ms, at the time given in ms. */
async function history(
  operations: readonly (readonly [at: number, f: 'hold' | 'renew' | 'look', value: number | boolean])[],
) {
  let now = 0
  const recorder = new HistoryRecorder({ monotonic: () => now })
  const client = recorder.client()
  for (const [at, f, value] of operations) {
    now = at
    const asked = f === 'look' ? { f, key: 'h' } : { f, key: 'h', value }
    await client.run(asked, () => {
      now += 1
      return Promise.resolve(value)
    })
  }
  return recorder.events
}

test('a hold that is there until its lease is over, and gone for good then, is right', async () => {
  const events = await history([
    [0, 'hold', 100],
    [50, 'look', true],
    [80, 'renew', 100],
    [150, 'look', true],
    [300, 'look', false],
    [310, 'look', false],
  ])
  expect(checkHolds(events)).toMatchObject({ ok: true, holds: 1 })
})

test('a hold that is gone before its lease is over is found, after a renewal too', async () => {
  const early = await history([
    [0, 'hold', 100],
    [50, 'look', false],
  ])
  expect(checkHolds(early)).toMatchObject({ ok: false, why: expect.stringContaining('before its lease was over') })
  const renewed = await history([
    [0, 'hold', 100],
    [80, 'renew', 100],
    [150, 'look', false],
  ])
  expect(checkHolds(renewed)).toMatchObject({ ok: false, why: expect.stringContaining('before its lease was over') })
})

test('[TI2] a hold that was gone and is there again is found', async () => {
  const events = await history([
    [0, 'hold', 100],
    [200, 'look', false],
    [210, 'look', true],
  ])
  expect(checkHolds(events)).toMatchObject({ ok: false, why: expect.stringContaining('there again') })
})
