// A bug is planted in what a watch told, a line each; it has to be found with the journal in hand.
import { expect, test } from 'vitest'
import { jsonLines, type DumpLine, type HistoryEvent } from 'plenum/testing'
import { dumpFrom, historyFrom } from './lines.ts'
import { judge } from './judge.ts'
import { makeHistory, type Made } from './make.ts'

let made: Promise<Made> | undefined

/** A history in which some watches go on from a token, and some begin anew. */
async function soundHistory(): Promise<{
  readonly events: readonly HistoryEvent[]
  readonly dump: readonly DumpLine[]
}> {
  made ??= makeHistory({ workload: 'watch', seed: 2, operations: 300, faults: 'all', real: false }, () => undefined)
  const { history, dump = '' } = await made
  expect(judge(history, dump, undefined)).toMatchObject({ ok: true })
  return { events: historyFrom(history), dump: dumpFrom(dump) }
}

const canonical = (value: unknown): string => jsonLines([{ value }])
const violation = (text: string) => ({ ok: false, text: expect.stringContaining(text) })

/** True for a line of a watch that tells a change, not a state. */
function isChange({ f, type, value }: HistoryEvent): boolean {
  return f === 'watch' && type === 'ok' && /"kind":"(added|changed|removed)"/.test(canonical(value))
}

/** The changes that a watch told which went on from a token without a reset, and which is fit for what is asked. */
function resumedWatch(
  events: readonly HistoryEvent[],
  isFit: (lines: readonly HistoryEvent[]) => boolean = () => true,
): readonly HistoryEvent[] {
  const begun = events.filter(
    ({ f, type, value }) => f === 'watch' && type === 'invoke' && 'since' in (value as object),
  )
  const told = begun.map(({ op }) => events.filter((event) => event.op === op && event.key !== undefined))
  return told.find((lines) => lines.length > 6 && lines.every(isChange) && isFit(lines))!
}

test('[WA1] a change that a watch lost, told twice, or told out of order is found', async () => {
  const { events, dump } = await soundHistory()
  const journal = jsonLines(dump)
  const changes = resumedWatch(events)
  const [one, next] = changes.flatMap((change, at) => {
    const [later] = changes.slice(at + 1).filter(({ key }) => key === change.key)
    return later === undefined ? [] : [change, later]
  }) as [HistoryEvent, HistoryEvent]
  const watched = `violation: Watch ${one.op} of ${one.process} told that ${one.key} was`
  const without = jsonLines(events.filter((event) => event !== one))
  expect(judge(without, journal, undefined)).toEqual(violation('and not before it that'))
  const twice = events.flatMap((event) => (event === one ? [event, event] : [event]))
  expect(judge(jsonLines(twice), journal, undefined)).toEqual(violation(watched))
  const swapped = events.map((event) => (event === one ? next : event === next ? one : event))
  expect(judge(jsonLines(swapped), journal, undefined)).toEqual(violation(watched))
  // The end is known: each watcher was told all of it.
  const last = events.findLast(isChange)!
  const from = events.indexOf(last)
  const short = jsonLines(events.filter(({ process }, place) => process !== last.process || place < from))
  expect(judge(short, journal, undefined)).toEqual(violation('which was never told that'))
})

test('[WA1] a change of something that a filter does not see is found', async () => {
  const { events, dump } = await soundHistory()
  const begun = events.filter(({ f, value }) => f === 'watch' && canonical(value).includes('"where":{"status":"open"}'))
  const told = events.find((event) => isChange(event) && begun.some(({ op }) => op === event.op))!
  const shut = dump.find(({ kind, value }) => kind === 'added' && canonical(value).includes('"status":"shut"'))!
  const value = { kind: 'added', entry: shut.value, token: 'other' }
  const planted = { ...told, key: shut.key, version: shut.version, value }
  const text = jsonLines(events.flatMap((event) => (event === told ? [planted, event] : [event])))
  expect(judge(text, jsonLines(dump), undefined)).toEqual(violation('nothing that its filter sees'))
})

test('[WA2] a watch that was resumed with a gap, or with what was told before, is found', async () => {
  const { events, dump } = await soundHistory()
  // Of an entry that this watch tells of again, so that the gap shows in it and not in a later one.
  const changes = resumedWatch(events, ([first, ...others]) => others.some(({ key }) => key === first?.key))
  const gap = jsonLines(events.filter((event) => event !== changes[0]))
  expect(judge(gap, jsonLines(dump), undefined)).toEqual(violation(`violation: Watch ${changes[0]!.op} of`))
  const before = events.findLast(
    (event) => event.process === changes[0]!.process && event.op < changes[0]!.op && isChange(event),
  )!
  const again = events.flatMap((event) =>
    event === changes[0] ? [{ ...before, op: event.op, time: event.time }, event] : [event],
  )
  expect(judge(jsonLines(again), jsonLines(dump), undefined)).toEqual(violation('twice, or out of order'))
  // Without the journal nothing is known, and that is not enough.
  expect(judge(jsonLines(events), undefined, undefined)).toMatchObject({
    ok: false,
    text: expect.stringContaining('--journal'),
  })
})
