import { expect, test } from 'vitest'
import { judge } from './judge.ts'
import { makeHistory, type Made } from './make.ts'
import { workloadNamed, workloadNames } from './workloads.ts'

/** A line of a history or a dump, whatever it holds. */
type Line = Readonly<Record<string, unknown>>

const quiet = (): void => undefined

function linesOf(text: string): readonly Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

function simulated(workload: string, seed: number): Promise<Made> {
  return makeHistory({ workload, seed, operations: 200, faults: 'all', real: false }, quiet)
}

const histories = new Map<string, Promise<Made>>()

/** The same, made once for all tests. */
function known(workload: string, seed: number): Promise<Made> {
  const name = `${workload} ${seed}`
  const made = histories.get(name) ?? simulated(workload, seed)
  histories.set(name, made)
  return made
}

/** What is asked and answered, as the table of docs/histories.md has it. */
const operationsOf: Readonly<Record<string, readonly string[]>> = {
  register: ['read', 'write', 'cas', 'insert', 'update', 'take', 'delete'],
  set: ['write', 'read'],
  bank: ['init', 'transfer', 'balances'],
  session: ['read', 'write', 'update', 'insert'],
  queue: ['enqueue', 'take', 'drain'],
  txn: ['txn'],
  'fifo-groups': ['enqueue', 'work', 'done', 'dead'],
  watch: ['write', 'writeAll', 'delete', 'read', 'watch'],
}

const fields = ['process', 'type', 'f', 'key', 'value', 'version', 'error', 'session', 'request', 'time', 'op']

test.for(workloadNames)(
  '[A2] one seed gives one history of workload %s and one journal dump, both of them sound',
  async (workload) => {
    const first = await known(workload, 2)
    const again = await simulated(workload, 2)
    expect(first.failure).toBeUndefined()
    expect(again).toEqual(first)
    expect((await known(workload, 3)).history).not.toBe(first.history)
    expect(judge(first.history, first.dump, undefined)).toMatchObject({
      ok: true,
      text: expect.stringContaining(workload),
    })
  },
)

test.for(workloadNames)('the lines of workload %s are as docs/histories.md says', async (workload) => {
  const { history, dump } = await known(workload, 2)
  const events = linesOf(history)
  const ended = new Set<unknown>()
  const ops = new Map<unknown, string[]>()
  let before = 0
  for (const event of events) {
    const { process, type, f, op, time } = event
    expect(fields.filter((name) => name in event)).toEqual(Object.keys(event))
    expect(operationsOf[workload]).toContain(f)
    expect(Number.isSafeInteger(time) && Number(time) >= before).toBe(true)
    before = Number(time)
    expect(ended.has(process)).toBe(false)
    // Lines of a watch come as long as it lasts, and its watcher goes on under its own name.
    if (f === 'watch') continue
    if (type === 'info') ended.add(process)
    if (type === 'fail' || type === 'info') expect(event['error']).toMatch(/^[A-Z_]+$/)
    // What found nothing says so; only a removal has nothing to say.
    if (type === 'ok' && f !== 'delete') expect(event).toHaveProperty('value')
    ops.set(op, [...(ops.get(op) ?? []), String(type)])
  }
  // Each operation is one line or two, and the first is its invocation.
  for (const [first, second, ...more] of ops.values()) {
    expect([first, more.length]).toEqual(['invoke', 0])
    expect([undefined, 'ok', 'fail', 'info']).toContain(second)
  }
  // The last reads are a fresh client's, after everything else has its answer, and none of them is in doubt.
  const last = events.at(-1)!['process']
  const own = events.filter(({ process }) => process === last)
  expect(events.slice(-own.length)).toEqual(own)
  expect(new Set(own.map(({ type }) => type))).toEqual(new Set(['invoke', 'ok']))
  const effects = linesOf(dump!)
  const changes = effects.filter(({ kind }) => ['added', 'changed', 'removed', 'expired'].includes(String(kind)))
  expect(changes.length).toBeGreaterThan(20)
  for (const change of changes)
    expect(Object.keys(change).slice(0, 5)).toEqual(['partition', 'index', 'kind', 'type', 'key'])
  const others = effects.filter((line) => !changes.includes(line))
  expect(new Set(others.flatMap((line) => Object.keys(line)))).toEqual(new Set(['partition', 'index', 'kind']))
})

test('[WA1] [WA2] the lines of watches are as docs/histories.md says', async () => {
  const made = await Promise.all([2, 3].map((seed) => known('watch', seed)))
  const events = made.flatMap(({ history }) => linesOf(history)).filter(({ f }) => f === 'watch')
  const told = events.filter(({ type }) => type === 'ok').map((event) => ({ event, value: event['value'] as Line }))
  const kinds = ['reset', 'initial', 'live', 'added', 'changed', 'removed']
  expect(new Set(told.map(({ value }) => value['kind']))).toEqual(new Set(kinds))
  for (const { event, value } of told) {
    const { kind, entry, token, previous, reason } = value
    const isChange = ['added', 'changed', 'removed'].includes(String(kind))
    expect(typeof token).toBe(isChange || kind === 'live' ? 'string' : 'undefined')
    expect(typeof event['key']).toBe(isChange || kind === 'initial' ? 'string' : 'undefined')
    expect(entry).toEqual(isChange || kind === 'initial' ? expect.objectContaining({ id: event['key'] }) : undefined)
    expect(previous !== undefined).toBe(kind === 'changed')
    expect(reason !== undefined).toBe(kind === 'removed' || kind === 'reset')
  }
  for (const { type, value, error } of events.filter((event) => event['type'] !== 'ok')) {
    if (type === 'invoke') expect(value).toMatchObject({ watcher: expect.any(String), filter: expect.any(Object) })
    else
      expect({ type, value, error }).toEqual({ type: 'info', value: null, error: expect.stringMatching(/^[A-Z_]+$/) })
  }
  expect(events.filter(({ value }) => (value as Line | null)?.['since'] !== undefined).length).toBeGreaterThan(0)
})

test('[SP13] what nobody knows is info in every workload, and values stay few and unique', async () => {
  for (const workload of workloadNames) {
    const made = await Promise.all([2, 3].map((seed) => known(workload, seed)))
    const events = made.flatMap(({ history }) => linesOf(history))
    const unknown = events.filter(({ type, f }) => type === 'info' && f !== 'watch')
    expect(unknown.length).toBeGreaterThan(0)
    for (const { error } of unknown) expect(['UNKNOWN_OUTCOME', 'TIMEOUT']).toContain(error)
  }
  const { history } = await known('set', 2)
  const written = linesOf(history).filter(({ f, type }) => f === 'write' && type === 'invoke')
  expect(written.length).toBeLessThanOrEqual(100)
  expect(new Set(written.map(({ value }) => value)).size).toBe(written.length)
})

test('a workload that nobody knows says what there is', () => {
  expect(() => workloadNamed('toString')).toThrow(
    "There is no workload 'toString'. There are: register, set, bank, session, queue, watch, txn, fifo-groups.",
  )
})
