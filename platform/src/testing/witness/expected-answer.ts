import { isPlenumError } from '../../kernel/index.ts'
import {
  ownLayouts,
  type Answer,
  type ClaimsGiven,
  type Command,
  type ReadCommand,
  type StoredValue,
  type WriteCommand,
} from '../../space/index.ts'
import type { UnitParts } from '../../unit/index.ts'
import { canonicalText, sameValue } from '../checkers/canonical.ts'
import { itemAt } from './naive-query.ts'
import { aggregated } from './naive-aggregate.ts'
import { callHandler } from './naive-handlers.ts'
import { NaiveRun, selected, type NaiveChange, type NaiveOutcome } from './naive-run.ts'
import type { NaiveSpace } from './naive-space.ts'
import { expectedOfTransaction } from './expected-transaction.ts'
import { isTelling } from './telling.ts'

/** What the naive twin says about a command in one state. */
export interface Expected {
  /** True if an answer is right there; undefined if the twin cannot tell. */
  readonly fits: (answer: Answer) => boolean | undefined
  /** The right answer, or what is known of it, as text. */
  readonly text: string
  /** What it must change, in order; undefined if the twin cannot tell. */
  readonly changes: readonly NaiveChange[] | undefined
}

export type DataCommand = ReadCommand | WriteCommand
type Query = Extract<DataCommand, { where: unknown }>
type Asked = Exclude<Query, { kind: 'aggregate' }>
type Simple = Exclude<DataCommand, Query>

/**
 * What a command that was answered with `given` must answer in a state, and what it must change; the state is left as it
 * is. Without the unit every value is taken as it is, and nothing is known of what handlers do.
 */
export function expectedAnswer(
  space: NaiveSpace,
  command: Command,
  given: Answer | undefined,
  unit: UnitParts | undefined,
): Expected {
  const copy = space.copy()
  // A type that the journal has not heard of yet has no entries; that is an answer as well.
  copy.declare(unit?.layouts ?? [])
  const run = new NaiveRun(copy, (type) => unit?.rules.get(type), command.kind === 'call')
  if (isVolatile(copy, command)) return { fits: () => undefined, text: 'what only the primary knows', changes: [] }
  switch (command.kind) {
    case 'register':
      return present(run, ownLayouts.session.name, { session: command.session }, true)
    case 'end':
      return present(run, ownLayouts.session.name, { session: command.session }, false)
    case 'source-loaded':
      return present(run, ownLayouts.source.name, { source: command.source }, true)
    case 'source-state':
      return exactly(run, { ok: true, value: run.get(ownLayouts.source.name, { source: command.source }) })
    case 'task':
    case 'service':
      return { fits: () => undefined, text: 'whatever the function makes of it', changes: undefined }
    case 'call':
      return called(run, command, unit)
    case 'batch':
      return batch(run, command.commands, given)
    case 'projection':
    case 'sink':
    case 'outputs':
      return { fits: () => undefined, text: 'what the projections of the member say', changes: [] }
    case 'watch':
      return { fits: () => undefined, text: 'what changed', changes: [] }
    case 'cancel':
      return { fits: () => undefined, text: 'whether it still waited', changes: [] }
    case 'claim':
      return claimed(run, command.worker, unit)
    case 'await-work':
    case 'keep-claims':
    case 'release':
      return { fits: () => undefined, text: 'what the claims of the reign say', changes: [] }
    case 'work-failed':
    case 'send-back':
    case 'dead-letters':
      return { fits: () => undefined, text: 'what is kept of attempts that failed', changes: [] }
    case 'deliver':
    case 'delivered':
    case 'messages-due':
    case 'project':
    case 'sink-written':
    case 'bury':
    case 'messages':
    case 'discard':
    case 'send-again':
    case 'schedules-due':
      return { fits: () => undefined, text: 'what is kept of messages and schedules', changes: undefined }
    case 'draft':
    case 'validate':
    case 'prepare':
    case 'commit':
    case 'outcome':
    case 'informed':
    case 'inquire':
      return expectedOfTransaction(run, command, given, dataAnswer)
    default:
      return dataAnswer(run, command, given)
  }
}

/** True for a command of an entry type that no journal knows of: it changes nothing there. */
function isVolatile(space: NaiveSpace, command: Command): boolean {
  if (command.kind === 'batch') return command.commands.every((one) => isVolatile(space, one))
  return 'type' in command && space.tables.find(({ layout }) => layout.name === command.type)?.layout.durable === false
}

/** What a data command must answer and change. */
function dataAnswer(run: NaiveRun, command: DataCommand, given: Answer | undefined): Expected {
  if (isQuery(command)) return query(run, command, given)
  if (command.kind === 'renew') return renewed(run, command)
  return exactly(
    run,
    attempt(() => execute(run, command)),
  )
}

function attempt(run: () => unknown): NaiveOutcome {
  try {
    return { ok: true, value: run() }
  } catch (error) {
    return { ok: false, error }
  }
}

function execute(run: NaiveRun, command: Simple): unknown {
  const { type } = command
  switch (command.kind) {
    case 'get':
      return run.get(type, command.key)
    case 'insert':
      return run.insert(type, command.value, command.options)
    case 'write':
    case 'update':
      return run.write(type, command.kind, command.value, command.options)
    case 'patch':
      return run.patch(type, command.key, command.fields, command.options)
    case 'change':
      return run.mutate(type, command.key, command.mutations, command.options)
    case 'remove':
      return run.remove(type, command.key, command.options)
    case 'renew':
      return run.renew(type, command.key, command.leaseMs)
  }
}

/** The one right answer; after an error nothing was changed. */
function exactly(run: NaiveRun, outcome: NaiveOutcome): Expected {
  const changes = outcome.ok ? run.changes : []
  if (outcome.ok) {
    const text = canonicalText(outcome.value)
    return { fits: (answer) => answer.ok && sameValue(answer.value, outcome.value), text, changes }
  }
  const { error } = outcome
  if (!isPlenumError(error)) throw error
  return { fits: (answer) => isError(answer, error.code, error.details), text: error.code, changes }
}

function isError(answer: Answer, code: string, details: Readonly<Record<string, unknown>>): boolean {
  if (answer.ok || answer.error.code !== code) return false
  // A conflict tells the present stamp (SP2), a refusal its reason (UN2b).
  return ['current', 'reason'].every(
    (name) => !(name in details) || sameValue(answer.error.details[name], details[name]),
  )
}

/** Each item has its own outcome (SP10); one that was refused for a reason that is not in the state did nothing. */
function batch(run: NaiveRun, commands: readonly DataCommand[], given: Answer | undefined): Expected {
  const answers = given?.ok === true && isAnswers(given.value) ? given.value : []
  const items: Expected[] = []
  for (const [at, command] of commands.entries()) {
    const answer = answers[at]
    if (answer !== undefined && !isTelling(answer)) {
      items.push({ fits: () => undefined, text: 'refused', changes: [] })
      continue
    }
    if (isQuery(command)) items.push(query(run, command, answer))
    else if (command.kind === 'renew') items.push(renewed(run, command))
    else
      items.push(
        exactly(
          run,
          attempt(() => execute(run, command)),
        ),
      )
  }
  const fits = (answer: Answer): boolean | undefined => {
    if (!answer.ok || answers.length !== items.length) return false
    const fitting = answers.map((item, at) => items[at]?.fits(item))
    return fitting.includes(false) ? false : fitting.includes(undefined) ? undefined : true
  }
  const changes = items.every((item) => item.changes !== undefined) ? run.changes : undefined
  return { fits, text: items.map(({ text }) => text).join(', '), changes }
}

function isQuery(command: DataCommand): command is Query {
  return 'where' in command
}

function isAnswers(value: unknown): value is readonly Answer[] {
  return (
    Array.isArray(value) && value.every((item: unknown) => typeof item === 'object' && item !== null && 'ok' in item)
  )
}

/** Everything that is asked by a query; what it removes is as many as it says, or what it returns. */
function query(run: NaiveRun, command: Query, given: Answer | undefined): Expected {
  const { type, where } = command
  const matching = attempt(() => run.matching(type, where))
  if (!matching.ok) return exactly(run, matching)
  const values = run.matching(type, where)
  switch (command.kind) {
    case 'count':
      return exactly(run, { ok: true, value: values.length })
    case 'aggregate':
      return exactly(run, { ok: true, value: aggregated(values, command.request) })
    case 'explain':
      return { fits: (answer) => answer.ok || false, text: 'how it was found', changes: [] }
    case 'clear':
      return cleared(run, command.options.limit, type, values)
    case 'take':
    case 'takeAll':
      return command.kind === 'take' && command.wait !== undefined && given?.ok === true && isNothing(given.value)
        ? endedWait()
        : taken(run, command.kind, command, values, given)
    default:
      return found(run, command.kind, command, values)
  }
}

/** Right is whatever matches, in the order asked for; where the order leaves a choice, any. */
function found(run: NaiveRun, kind: 'read' | 'readAll', command: Asked, values: readonly StoredValue[]): Expected {
  const { type, where } = command
  const options = kind === 'read' ? { ...command.options, limit: 1 } : command.options
  const right = run.readAll(type, where, options)
  const fits = (answer: Answer): boolean => {
    if (!answer.ok) return false
    const given = kind === 'readAll' ? answer.value : answer.value === undefined ? [] : [answer.value]
    return isValues(given) && given.length === right.length && isChoice(given, values, right, options)
  }
  return { fits, text: canonicalText(kind === 'read' ? right[0] : right), changes: [] }
}

/** A take that matches something takes something; what it was, only its answer tells. */
function taken(
  run: NaiveRun,
  kind: 'take' | 'takeAll',
  { type, where, options }: Asked,
  values: readonly StoredValue[],
  given: Answer | undefined,
): Expected {
  const limit = kind === 'take' ? 1 : (options.limit ?? Infinity)
  const isFifo = run.space.tables[run.table(type)]?.layout.fifo !== undefined
  const right = (isFifo ? run.inWriteOrder(type, where) : values).slice(0, limit)
  const text = canonicalText(kind === 'take' ? right[0] : right)
  const fits = (answer: Answer): boolean => {
    const answered = valuesOf(kind, answer)
    if (answered === undefined || answered.length !== right.length) return false
    return isFifo ? sameValue(answered, right) : isChoice(answered, values, right, {})
  }
  const answered = given === undefined ? undefined : valuesOf(kind, given)
  const chosen = isFifo || right.length === values.length ? right : answered
  if (chosen === undefined) return { fits, text, changes: undefined }
  if (fits(kind === 'take' ? { ok: true, value: chosen[0] } : { ok: true, value: chosen }))
    run.removeAll(type, chosen, 'taken')
  return { fits, text, changes: run.changes }
}

/** A wait that ended with nothing: whether a match came too late, or after it was given up, is not in the state. */
function endedWait(): Expected {
  return { fits: (answer) => (answer.ok && isNothing(answer.value) ? undefined : false), text: 'nothing', changes: [] }
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null
}

function valuesOf(kind: 'take' | 'takeAll', answer: Answer): readonly StoredValue[] | undefined {
  if (!answer.ok) return undefined
  const values = kind === 'takeAll' ? answer.value : (answer.value ?? undefined) === undefined ? [] : [answer.value]
  return isValues(values) ? values : undefined
}

/** With a limit below the matches, only the effects tell which ones went. */
function cleared(run: NaiveRun, limit: number | undefined, type: string, values: readonly StoredValue[]): Expected {
  const count = Math.min(values.length, limit ?? Infinity)
  if (count === values.length) run.removeAll(type, values, 'removed')
  const expected = exactly(run, { ok: true, value: count })
  return count === values.length ? expected : { ...expected, changes: undefined }
}

function renewed(run: NaiveRun, command: Extract<Simple, { kind: 'renew' }>): Expected {
  const outcome = attempt(() => execute(run, command))
  if (!outcome.ok) return exactly(run, outcome)
  const ends = command.leaseMs === undefined ? 'without end' : `${command.leaseMs} ms`
  return { fits: (answer) => answer.ok, text: `renewed, ${ends}`, changes: run.changes }
}

function isValues(value: unknown): value is readonly StoredValue[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null)
}

function isChoice(
  given: readonly StoredValue[],
  values: readonly StoredValue[],
  right: readonly StoredValue[],
  options: { readonly select?: readonly string[] | undefined; readonly orderBy?: object | undefined },
): boolean {
  const { select } = options
  const left = values.map((value) => canonicalText(select === undefined ? value : selected(value, select)))
  for (const value of given) {
    const at = left.indexOf(canonicalText(value))
    if (at === -1) return false
    left.splice(at, 1)
  }
  const paths = Object.keys(options.orderBy ?? {}).filter((path) => select?.includes(path.split('.')[0]!) ?? true)
  return given.every((value, at) => paths.every((path) => sameValue(itemAt(value, path), itemAt(right[at], path))))
}

function called(run: NaiveRun, command: Extract<Command, { kind: 'call' }>, unit: UnitParts | undefined): Expected {
  const outcome = unit === undefined ? undefined : callHandler(run, unit, command)
  if (outcome === undefined)
    return { fits: () => undefined, text: 'whatever the handler makes of it', changes: undefined }
  const expected = exactly(run, outcome)
  if (!run.loose) return expected
  // An order that nothing promises played a part: another answer may be right as well.
  return { ...expected, fits: (answer) => expected.fits(answer) || undefined, changes: undefined }
}

/** Whatever was claimed is there, as it was told, and is the worker's business; what else there is, others may have. */
function claimed(run: NaiveRun, worker: string, unit: UnitParts | undefined): Expected {
  const rule = unit?.workers.get(worker)
  const fits = (answer: Answer): boolean | undefined => {
    if (!answer.ok || rule === undefined) return undefined
    const { type } = rule
    const { claims } = answer.value as ClaimsGiven
    const matching = run.matching(type, rule.where)
    return claims.every(({ entry, stamp }) => {
      const found = run.space.find(run.table(type), entry)
      return found?.stamp === stamp && matching.some((value) => sameValue(value, entry))
    })
  }
  return { fits, text: `entries that worker ${worker} may claim`, changes: [] }
}

function present(run: NaiveRun, type: string, key: Readonly<Record<string, unknown>>, there: boolean): Expected {
  const fitting = (run.get(type, key) !== undefined) === there
  return {
    fits: (answer) => (answer.ok ? fitting : undefined),
    text: `${canonicalText(key)} ${fitting === there ? 'there' : 'gone'}`,
    changes: [],
  }
}
