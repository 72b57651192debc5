import { expect, test } from 'vitest'
import { historyFrom } from './lines.ts'
import { judge } from './judge.ts'
import { makeHistory } from './make.ts'

test.for(['register', 'session', 'queue', 'txn'])(
  '[JR6] [SP12] a real process that is killed under load keeps what it acked: workload %s',
  { timeout: 120_000 },
  async (workload) => {
    const told: string[] = []
    const wanted = { workload, seed: 1, operations: 120, faults: 'all', real: true } as const
    const { history, dump, failure } = await makeHistory(wanted, (text) => told.push(text))
    expect(failure).toBeUndefined()
    expect(Number(/^(\d+) kills$/.exec(told.at(-1) ?? '')?.[1])).toBeGreaterThan(1)
    const events = historyFrom(history)
    // Somebody waited for an answer when the process was killed, and went on as another process.
    const unknown = events.filter(({ type, error }) => type === 'info' && error === 'UNKNOWN_OUTCOME')
    expect(unknown.length).toBeGreaterThan(0)
    expect(events.filter(({ type }) => type === 'ok').length).toBeGreaterThan(60)
    expect(judge(history, dump, undefined)).toMatchObject({ ok: true })
  },
)

test('without faults a real process is not killed, and nothing is unknown', async () => {
  const told: string[] = []
  const wanted = { workload: 'bank', seed: 4, operations: 100, faults: 'none', real: true } as const
  const { history, failure } = await makeHistory(wanted, (text) => told.push(text))
  expect(failure).toBeUndefined()
  expect(told.at(-1)).toBe('0 kills')
  expect(historyFrom(history).filter(({ type }) => type === 'info')).toEqual([])
})

test(
  '[WA2] a watch goes on from its token after the process that it watched was killed',
  { timeout: 120_000 },
  async () => {
    const wanted = { workload: 'watch', seed: 2, operations: 120, faults: 'all', real: true } as const
    const { history, dump, failure } = await makeHistory(wanted, () => undefined)
    expect(failure).toBeUndefined()
    const watches = historyFrom(history).filter(({ f }) => f === 'watch')
    const killed = watches.filter(({ type, error }) => type === 'info' && error === 'UNKNOWN_OUTCOME')
    // The next line of the same watcher names the last token that it was told.
    const resumed = killed.filter((end) => {
      const [next] = watches.slice(watches.indexOf(end) + 1).filter(({ process }) => process === end.process)
      const told = watches
        .slice(0, watches.indexOf(end))
        .filter(({ process, op }) => process === end.process && op === end.op)
      const token = told.flatMap(({ value }) => tokenIn(value)).at(-1)
      return token !== undefined && next !== undefined && isSince(next.value, token)
    })
    expect(resumed.length).toBeGreaterThan(0)
    expect(judge(history, dump, undefined)).toMatchObject({ ok: true })
  },
)

function tokenIn(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null && 'token' in value ? [value.token] : []
}

function isSince(value: unknown, token: unknown): boolean {
  return typeof value === 'object' && value !== null && 'since' in value && value.since === token
}
