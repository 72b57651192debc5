// A bug is planted in a sound history, by a change of one line; each has to be found in the lines alone.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dumpFrom, historyFrom } from './lines.ts'
import { judge } from './judge.ts'
import { makeHistory, type Made } from './make.ts'
import { jsonLines, type DumpLine, type HistoryEvent } from 'plenum/testing'

const made = new Map<string, Made>()

beforeAll(async () => {
  for (const workload of ['register', 'set', 'bank', 'session', 'queue', 'txn']) {
    made.set(workload, await makeHistory({ workload, seed: 5, operations: 300, faults: 'all', real: false }, () => {}))
  }
}, 60_000)

function soundHistory(workload: string): {
  readonly events: readonly HistoryEvent[]
  readonly dump: readonly DumpLine[]
} {
  const { history, dump = '' } = made.get(workload)!
  expect(judge(history, dump, undefined)).toMatchObject({ ok: true })
  return { events: historyFrom(history), dump: dumpFrom(dump) }
}

/** The history with another value in one line. */
function withValue(events: readonly HistoryEvent[], line: HistoryEvent, value: unknown): string {
  return jsonLines(events.map((event) => (event === line ? { ...event, value } : event)))
}

const violation = (text: string) => ({ ok: false, text: expect.stringContaining(text) })

test('a write that was lost is found: a value is missing in the last reading of a set', () => {
  const { events } = soundHistory('set')
  const last = events.at(-1)!
  const acked = events.find(({ f, type }) => f === 'write' && type === 'ok')!
  const left = (last.value as readonly unknown[]).filter((value) => value !== acked.value)
  const found = judge(withValue(events, last, left), undefined, undefined)
  expect(found).toEqual(
    violation(`violation: Read ${last.op} did not find ${String(acked.value)}, although write ${acked.op} was acked.`),
  )
})

test('a read of an older value is found', () => {
  const { events } = soundHistory('register')
  const reads = events.filter(({ f, type }) => f === 'read' && type === 'ok')
  // The last read of a key that somebody else read before, with another value, and after that no more.
  const last = reads.findLast(({ key, value }) =>
    reads.some((one) => one.key === key && one.value !== value && one.value !== null),
  )!
  const older = reads.find(({ key, value }) => key === last.key && value !== last.value && value !== null)!
  const found = judge(withValue(events, last, older.value), undefined, undefined)
  expect(found).toEqual(
    violation(`violation: No order of the operations on '${last.key}' explains operation ${last.op}`),
  )
})

test('an ack of a write that never happened is found: the answer of a cas is turned round', () => {
  const { events } = soundHistory('register')
  const failed = events.findLast(({ f, error }) => f === 'cas' && error === 'MISMATCH')!
  const text = jsonLines(events.map((event) => (event === failed ? { ...event, type: 'ok', error: undefined } : event)))
  expect(judge(text, undefined, undefined)).toEqual(violation('violation: No order of the operations'))
})

test('money that was made is found: a reading of a bank that is off by one', () => {
  const { events } = soundHistory('bank')
  const reading = events.findLast(({ f, type }) => f === 'balances' && type === 'ok')!
  const balances = reading.value as Readonly<Record<string, number>>
  const found = judge(withValue(events, reading, { ...balances, a0: balances['a0']! + 1 }), undefined, undefined)
  expect(found).toEqual(violation(`violation: Reading ${reading.op} of the balances sums to`))
})

test('a transfer that was acked and lost is found, though the total is right', () => {
  const { events } = soundHistory('bank')
  const reading = events.at(-1)!
  const { a0, a1, ...others } = reading.value as Record<string, number>
  const found = judge(withValue(events, reading, { ...others, a0: a0! + 1, a1: a1! - 1 }), undefined, undefined)
  expect(found).toEqual(violation('violation: No order of the transfers in the accounts explains reading'))
})

test('[SP12] a session that goes back is found: the second try of a request gets another answer', () => {
  const { events, dump } = soundHistory('session')
  const answers = events.filter(({ request, type, f }) => request !== undefined && type === 'ok' && f === 'write')
  const second = answers.find(({ session, request }, at) =>
    answers.slice(0, at).some((one) => one.session === session && one.request === request),
  )!
  const text = jsonLines(events.map((event) => (event === second ? { ...event, version: second.version! - 1 } : event)))
  for (const dumped of [jsonLines(dump), undefined]) {
    const found = judge(text, dumped, undefined)
    expect(found).toEqual(violation(`violation: For request ${second.request} of session ${second.session}, tries`))
  }
})

test('[SP12] a request that the journal holds twice, or not at all, is found', () => {
  const { events, dump } = soundHistory('session')
  const effect = dump.findLast(({ session, kind }) => session !== undefined && kind === 'changed')!
  const twice = [...dump, { ...effect, index: dump.at(-1)!.index + 1 }]
  const name = `request ${effect.request} of session ${effect.session}`
  const text = jsonLines(events)
  expect(judge(text, jsonLines(twice), undefined)).toEqual(
    violation(`violation: The journal holds ${name} more than once`),
  )
  const acked = events.find(({ type, request }) => type === 'ok' && request !== undefined)!
  const none = dump.filter(({ session, request }) => session !== acked.session || request !== acked.request)
  expect(judge(text, jsonLines(none), undefined)).toEqual(violation('was acked, but the journal does not hold it'))
  const other = dump.map((line) => (line === effect ? { ...line, value: { id: effect.key, value: -1 } } : line))
  expect(judge(text, jsonLines(other), undefined)).toEqual(violation('the journal holds 1 of its request, or another'))
})

const isTaken = ({ f, type, value }: HistoryEvent): boolean => f === 'take' && type === 'ok' && value !== null

test('[SP4] a job that is taken twice, or lost, is found', () => {
  const { events } = soundHistory('queue')
  const [first, second] = events.filter(isTaken)
  expect(judge(withValue(events, second!, first!.value), undefined, undefined)).toEqual(
    violation(`both took ${String(first!.value)}.`),
  )
  // More of one queue than takes of unknown outcome can have.
  const lost = events.map((event) => (isTaken(event) && event.key === first!.key ? { ...event, value: null } : event))
  expect(judge(jsonLines(lost), undefined, undefined)).toEqual(violation('was acked and nobody took it'))
})

test('[SP9] jobs of a queue that are taken out of their order are found, by a drain and by two takes', () => {
  const { events } = soundHistory('queue')
  const drain = events.findLast(({ f, type, value }) => f === 'drain' && type === 'ok' && Array.isArray(value))!
  const turned = (drain.value as readonly unknown[]).toReversed()
  expect(turned.length).toBeGreaterThan(1)
  const found = judge(withValue(events, drain, turned), undefined, undefined)
  expect(found).toEqual(violation(`taken before it: by take ${drain.op}, and the other by take ${drain.op}.`))
  // The last two takes of a queue got each other's job.
  const takes = events.filter((event) => isTaken(event) && event.key === drain.key)
  const [one, other] = [takes.at(-2)!, takes.at(-1)!]
  const swapped = jsonLines(
    events.map((event) =>
      event === one || event === other ? { ...event, value: (event === one ? other : one).value } : event,
    ),
  )
  expect(judge(swapped, undefined, undefined)).toEqual(violation(`taken before it: by take ${one.op}`))
})

test('a history that proves nothing, or contradicts itself, or is none, is not sound', () => {
  const { events } = soundHistory('set')
  expect(judge('', undefined, undefined)).toEqual(violation('holds no operation that was answered'))
  expect(judge(jsonLines([...events, events.at(-1)!]), undefined, undefined)).toEqual(violation('contradicts itself'))
  expect(judge(`${jsonLines(events)}{"process":1}\n`, undefined, undefined)).toEqual(violation('is not an event'))
  const { history } = made.get('session')!
  expect(judge(history, '{"partition":0}\n', undefined)).toEqual(
    violation('Line 1 of the journal dump is not an effect'),
  )
})

let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'plenum-histories-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs the command; its exit code and what it printed. */
function command(
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const file = join(import.meta.dirname, '../history.ts')
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [file, ...args], { maxBuffer: 1 << 26 }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

test('the command prints lines and nothing else, and judges a file by its exit code', async () => {
  const [file, journal] = [join(folder, 'history.jsonl'), join(folder, 'journal.jsonl')]
  const printed = await command(['--workload', 'session', '--seed', '5', '--journal', journal])
  const { history } = made.get('session')!
  expect(printed).toMatchObject({ code: 0, out: history, err: expect.stringContaining('ok: session, registers') })
  // As npm redirects it, with its own lines first.
  await writeFile(file, `\n> plenum-repository history\n> node simulation/history.ts\n\n${printed.out}`)
  const sound = await command(['--check', file, '--journal', journal])
  expect(sound).toMatchObject({ code: 0, out: expect.stringContaining('ok: session, registers') })
  const alone = await command(['--check', file])
  expect(alone).toMatchObject({ code: 0, out: expect.stringContaining('effects were not checked') })
  const { events } = soundHistory('session')
  const read = events.findLast(({ f, type }) => f === 'read' && type === 'ok')!
  await writeFile(file, withValue(events, read, 100_000))
  const broken = await command(['--check', file])
  expect(broken).toMatchObject({ code: 1, out: expect.stringContaining('violation: No order of the operations') })
  expect(broken.out.trimEnd().split('\n').length).toBeGreaterThan(2)
})

test('the command that cannot be understood says how it is called, and exits with 2', async () => {
  const missing = join(folder, 'missing')
  const wrong: readonly (readonly [args: readonly string[], why: string])[] = [
    [[], '--workload is missing: one of register, set, bank, session, queue, watch, txn, fifo-groups.'],
    [['--workload', 'set'], '--seed is missing.'],
    [['--workload', 'set', '--seed', '1', '--real', '--faults', 'regressions'], '--faults needs one of none, all'],
    [['--workload', 'set', '--seed', '-1'], '--seed'],
    [['--workload', 'set', '--seed', '1', '--operations', '0'], '--operations needs 1 to 100000'],
    [['--check', missing], `The file ${missing} cannot be read`],
  ]
  for (const [args, why] of wrong) {
    expect(await command(args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(why) })
  }
})

test('a transaction that misses what was acked before it began is found', () => {
  const { events } = soundHistory('txn')
  // The last reads see everything; one of them is shown a list without its newest value.
  const last = events.at(-1)!
  const [[, key, items], ...others] = last.value as [['r', string, number[]], ...unknown[]]
  const text = withValue(events, last, [['r', key, items.slice(0, -1)], ...others])
  expect(judge(text, undefined, undefined)).toEqual(violation('violation: '))
})

test('a transaction of which one half was seen, and the other was not, is found', () => {
  const { events } = soundHistory('txn')
  const isAppend = (event: HistoryEvent): boolean =>
    event.type === 'ok' && (event.value as [string][]).some(([kind]) => kind === 'append')
  const appended = events.find(isAppend)!
  const [, key, value] = (appended.value as [string, string, number][]).find(([kind]) => kind === 'append')!
  // Whoever read it later reads the list as if it had never been there.
  const text = jsonLines(
    events.map((event) => {
      if (event.type !== 'ok' || event === events.at(-1)) return event
      const steps = (event.value as [string, string, unknown][]).map(([kind, list, items]) =>
        kind === 'r' && list === key
          ? [kind, list, (items as number[]).filter((item) => item !== value)]
          : [kind, list, items],
      )
      return { ...event, value: steps }
    }),
  )
  expect(judge(text, undefined, undefined)).toEqual(violation('violation: '))
})
