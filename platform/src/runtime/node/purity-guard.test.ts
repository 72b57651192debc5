import { expect, test } from 'vitest'
import { PurityGuard } from './purity-guard.ts'

const impure: Readonly<Record<string, () => unknown>> = {
  'Date.now': () => Date.now(),
  Date: () => new Date(),
  'Math.random': () => Math.random(),
  'crypto.randomUUID': () => crypto.randomUUID(),
  'crypto.getRandomValues': () => crypto.getRandomValues(new Uint8Array(1)),
  'performance.now': () => performance.now(),
  setTimeout: () => setTimeout(() => {}, 1),
  setInterval: () => setInterval(() => {}, 1),
  setImmediate: () => setImmediate(() => {}),
  queueMicrotask: () => queueMicrotask(() => {}),
  fetch: () => fetch('http://localhost'),
}

function guarded<T>(guard: PurityGuard, run: () => T): T {
  guard.enter('handler h')
  try {
    return run()
  } finally {
    guard.leave()
  }
}

test.each(Object.keys(impure))('[UN13] %s inside a handler is HANDLER_IMPURE and names what to use', (name) => {
  const guard = new PurityGuard()
  expect(() => guarded(guard, impure[name]!)).toThrow(
    expect.objectContaining({ code: 'HANDLER_IMPURE', details: expect.objectContaining({ used: name }) }),
  )
})

test('[UN13] outside of the run, and for dates that say their time, everything is as before', () => {
  const guard = new PurityGuard()
  const before = [Date, Math.random, setTimeout, fetch, crypto.randomUUID.name]
  expect(guarded(guard, () => new Date(5).getTime())).toBe(5)
  expect([Date, Math.random, setTimeout, fetch, crypto.randomUUID.name]).toEqual(before)
  expect(crypto.randomUUID()).toMatch(/^[0-9a-f-]{36}$/)
})
