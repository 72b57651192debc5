import type { Difference, Replayed } from './replay-partition.ts'
import { json, oneLine, styled, table } from './output.ts'
import { timeText } from './point.ts'
import type { ChangeMade, MessageSent, Outcome } from './replay-machine.ts'

/** Differences that are listed at most. */
const differencesMax = 1_000
/** Characters of a value that is shown; JSON has all of it. */
const valueCharsMax = 400

/** How the calls of one handler came out. */
export interface HandlerCounts {
  calls: number
  same: number
  different: number
  skipped: number
}

/** What a replay found. */
export interface ReplayFound {
  /** Recorded calls, those that were skipped among them. */
  readonly calls: number
  readonly same: number
  readonly different: number
  /** Not made again, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  /** Commands that changed entries and were no recorded call. */
  readonly noCall: number
  readonly handlers: Readonly<Record<string, HandlerCounts>>
  /** The difference of the earliest call. */
  readonly first: Difference | undefined
  /** Those that were found first; undefined unless all were asked for. */
  readonly differences: readonly Difference[] | undefined
}

export class ReplayCounts {
  readonly #handlers = new Map<string, HandlerCounts>()
  readonly #skipped = new Map<string, number>()
  readonly #differences: Difference[] = []
  readonly #keepsAll: boolean
  #first: Difference | undefined
  #noCall = 0
  #calls = 0

  constructor(keepsAll: boolean) {
    this.#keepsAll = keepsAll
  }

  get calls(): number {
    return this.#calls
  }

  get found(): ReplayFound {
    const handlers = [...this.#handlers.values()]
    const sum = (of: 'same' | 'different'): number => handlers.reduce((total, one) => total + one[of], 0)
    return {
      calls: this.#calls,
      same: sum('same'),
      different: sum('different'),
      skipped: Object.fromEntries(this.#skipped),
      noCall: this.#noCall,
      handlers: Object.fromEntries([...this.#handlers].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      first: this.#first,
      differences: this.#keepsAll ? this.#differences : undefined,
    }
  }

  add(replayed: Replayed): void {
    if (replayed.kind === 'no call') {
      this.#noCall += 1
      return
    }
    this.#calls += 1
    const counts = this.#of(replayed.handler)
    counts.calls += 1
    counts[replayed.kind] += 1
    if (replayed.kind === 'skipped') this.#skipped.set(replayed.why, (this.#skipped.get(replayed.why) ?? 0) + 1)
    if (replayed.kind !== 'different') return
    const { difference } = replayed
    if (this.#first === undefined || difference.now < this.#first.now) this.#first = difference
    if (this.#keepsAll && this.#differences.length < differencesMax) this.#differences.push(difference)
  }

  #of(handler: string): HandlerCounts {
    let counts = this.#handlers.get(handler)
    if (counts === undefined) this.#handlers.set(handler, (counts = { calls: 0, same: 0, different: 0, skipped: 0 }))
    return counts
  }
}

/** What a replay found, for people. */
export function replayText(
  found: ReplayFound & { readonly folder: string; readonly on: string },
  isAll: boolean,
): string {
  const { folder, on, calls, same, different, first } = found
  const verdict =
    different === 0
      ? styled('green', 'No difference.')
      : styled(
          'red',
          different === 1 ? 'One call comes out differently.' : `${count(different)} calls come out differently.`,
        )
  return [
    `${count(calls)} recorded calls of ${folder} on ${on}: ${count(same)} the same, ${count(different)} different\n`,
    isAll ? `\n${handlersText(found)}` : '',
    first === undefined ? '' : `\n${differenceText(first)}`,
    `\n${leftOutText(found)}${verdict}\n`,
  ].join('')
}

function handlersText({ handlers }: ReplayFound): string {
  const rows = Object.entries(handlers).map(([name, one]) => [name, one.calls, one.same, one.different, one.skipped])
  return table(['handler', 'calls', 'same', 'different', 'skipped'], rows)
}

const reasons: Readonly<Record<string, string>> = {
  'too large': 'were too large to be recorded whole',
  'not plain': 'ended with an error that could not be recorded',
  'not durable': 'use entries that are not durable, of which the journal knows nothing',
}

function leftOutText({ skipped, noCall }: ReplayFound): string {
  const lines = Object.entries(skipped).map(
    ([why, calls]) => `Skipped: ${count(calls)} calls that ${reasons[why] ?? why}.\n`,
  )
  if (noCall > 0)
    lines.push(
      `Made as they were: ${count(noCall)} changes by no recorded call, but by clients, workers, sources, or before calls were recorded.\n`,
    )
  return lines.join('')
}

function differenceText({
  partition,
  index,
  now,
  handler,
  input,
  caller,
  where,
  recorded,
  replayed,
}: Difference): string {
  const head = table(
    ['first difference', ''],
    [
      ['handler', handler],
      ['partition', `${partition}, record ${index}`],
      ['called at', timeText(now)],
      ['input', shown(input)],
      ['caller', shown(caller)],
      ['not the same', where.join(', ')],
    ],
  )
  const rows: (readonly [string, string, string])[] = []
  if (where.includes('answer')) rows.push(['answer', answerText(recorded), answerText(replayed)])
  if (where.includes('changes'))
    rows.push(...pairs('change', recorded.changes.map(changeText), replayed.changes.map(changeText)))
  if (where.includes('messages'))
    rows.push(...pairs('message', recorded.messages.map(messageText), replayed.messages.map(messageText)))
  const body = rows.map(([name, before, after]) =>
    before === after ? `${name}\n  both      ${before}\n` : `${name}\n  recorded  ${before}\n  now       ${after}\n`,
  )
  return `${head}\n${body.join('')}`
}

/** Two lists line by line; where one has ended, the other goes on beside nothing. */
function pairs(
  name: string,
  before: readonly string[],
  after: readonly string[],
): readonly (readonly [string, string, string])[] {
  const length = Math.max(before.length, after.length)
  return Array.from(
    { length },
    (_, at) => [`${name} ${at + 1}`, before[at] ?? '(none)', after[at] ?? '(none)'] as const,
  )
}

function answerText({ answer }: Outcome): string {
  if (answer.ok) return answer.value === undefined ? 'returned nothing' : `returned ${shown(answer.value)}`
  const { code, message, details } = answer.error
  return `${code}: ${oneLine(message, valueCharsMax)} ${shown(details)}`
}

function changeText({ kind, type, key, value, expiresAt }: ChangeMade): string {
  const until = expiresAt === undefined ? '' : ` until ${timeText(expiresAt)}`
  return `${kind} ${type} ${shown(value ?? key)}${until}`
}

function messageText({ handler, input, to, dueAt }: MessageSent): string {
  return `to ${handler} on partition ${to}, due ${timeText(dueAt)}: ${shown(input)}`
}

function shown(value: unknown): string {
  return oneLine(json(value) ?? 'nothing', valueCharsMax)
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}
