// What the journal of one partition says: accepted records in order, their effects grouped by command.
//
// I1 The effects of a command with an identity end with the put of its kept answer, because both stand in one record
//    (SP12); what else stands before the end of a command has none.
import type { RecordKind } from '../../journal/index.ts'
import { decodeBody, type ReplicaObserver, type UpgradeBody } from '../../partition/index.ts'
import { firstUnitTable, ownLayouts, type Answer, type Effect, type Layout } from '../../space/index.ts'
import { entryChangeKinds, requestName, type DumpLine } from '../checkers/journal-dump.ts'
import { canonicalText } from '../checkers/canonical.ts'

/** What made effects that stand together: a request with an identity, one without, or the partition itself. */
export type JournaledCommand = { readonly effects: readonly Effect[] } & (
  | { readonly kind: 'request'; readonly name: string; readonly of: RequestOf; readonly answer: Answer }
  | { readonly kind: 'unnamed' }
  | { readonly kind: 'own' }
)

/** What makes a request the same request: a session and its number, or a caller's own key alone. */
export interface RequestOf {
  readonly session: string | undefined
  readonly request: number | string
}

/** One accepted record. */
export interface JournaledRecord {
  readonly index: number
  readonly epoch: number
  readonly kind: RecordKind
  /** Partition time, milliseconds. */
  readonly time: number
  /** The entry types from here on, where this is an UPGRADE. */
  readonly layouts: readonly Layout[] | undefined
  /** Hash of the unit from here on, likewise. */
  readonly unit?: string | undefined
  readonly commands: readonly JournaledCommand[]
}

const ownNames = Object.keys(ownLayouts)
const answerTable = ownNames.indexOf('answer')
const keyedTable = ownNames.indexOf('keyed')

/** Collects the history of one partition; `observe` is given to a replica that folds its journal from zero. */
export class JournalHistory {
  readonly partition: number
  readonly #records: JournaledRecord[] = []

  constructor(partition: number) {
    this.partition = partition
  }

  /** The accepted records so far. */
  get records(): readonly JournaledRecord[] {
    return this.#records
  }

  readonly observe: ReplicaObserver = (record, effects, ends) => {
    const { index, epoch, kind, time } = record
    const { layouts, unit } = kind === 'UPGRADE' ? decodeBody<UpgradeBody>(record) : {}
    this.#records.push({ index, epoch, kind, time, layouts, unit, commands: commandsOf(effects, ends) })
  }
}

/** Groups the effects of one record by command. */
function commandsOf(effects: readonly Effect[], ends: readonly number[]): readonly JournaledCommand[] {
  const isEnd = new Set(ends)
  const commands: JournaledCommand[] = []
  let open: Effect[] = []
  const close = (): void => {
    for (const effect of open) commands.push({ kind: 'unnamed', effects: [effect] })
    open = []
  }
  for (const [at, effect] of effects.entries()) {
    if (isEnd.has(at)) close()
    const kept = keptAnswer(effect)
    if (kept !== undefined) {
      commands.push({ kind: 'request', ...kept, effects: [...open, effect] })
      open = []
    } else if (isUnitChange(effect)) {
      open.push(effect)
    } else {
      // It stands before what else its command does, of which it does not tell anything.
      commands.push({ kind: 'own', effects: [effect] })
    }
  }
  close()
  return commands
}

/** A change that a unit or a client asked for, as opposed to bookkeeping and leases that ended. */
function isUnitChange(effect: Effect): boolean {
  if (effect.kind === 'snapshot-begins' || effect.table < firstUnitTable) return false
  return effect.kind !== 'remove' || effect.reason !== 'expired'
}

/** The requests with a key of the caller's own whose kept answers a command forgets. */
export function forgottenBy({ effects }: JournaledCommand): readonly string[] {
  return effects.flatMap((effect) =>
    effect.kind === 'remove' && effect.table === keyedTable
      ? [requestName({ request: String(effect.key['key']) }) ?? '']
      : [],
  )
}

function keptAnswer(effect: Effect): { name: string; of: RequestOf; answer: Answer } | undefined {
  if (effect.kind !== 'put' || (effect.table !== answerTable && effect.table !== keyedTable)) return undefined
  const { session, number, key, answer } = effect.value
  const of =
    effect.table === answerTable
      ? { session: String(session), request: Number(number) }
      : { session: undefined, request: String(key) }
  return { name: requestName(of) ?? '', of, answer: answer as Answer }
}

/** The history as the lines of a journal dump. */
export function dumpOf({ partition, records }: Pick<JournalHistory, 'partition' | 'records'>): readonly DumpLine[] {
  let layouts: readonly Layout[] = Object.values(ownLayouts)
  return records.flatMap((record): DumpLine[] => {
    const { index, time } = record
    if (record.layouts !== undefined) layouts = [...Object.values(ownLayouts), ...record.layouts]
    if (record.kind !== 'BATCH') return [{ partition, index, kind: record.kind.toLowerCase() }]
    return record.commands.flatMap((command) => {
      const of = command.kind === 'request' ? command.of : {}
      const changes = command.effects.flatMap((effect) => changeLine(effect, layouts))
      const lines = changes.map((change) => ({ partition, index, ...change, ...of, time }))
      if (command.kind !== 'request') return lines
      return [...lines, { partition, index, kind: 'answered', value: command.answer, ...of, time }]
    })
  })
}

function changeLine(
  effect: Effect,
  layouts: readonly Layout[],
): readonly Pick<DumpLine, 'kind' | 'type' | 'key' | 'version' | 'value'>[] {
  if (effect.kind === 'snapshot-begins' || effect.table < firstUnitTable) return []
  const layout = layouts[effect.table]
  const type = layout?.name
  const fields = effect.kind === 'put' ? effect.value : effect.key
  const ids = (layout?.id ?? []).map((field) => fields[field])
  const key = ids.length === 1 && typeof ids[0] === 'string' ? ids[0] : canonicalText(ids.length === 1 ? ids[0] : ids)
  if (effect.kind === 'put') {
    const { version, value } = effect
    return [{ kind: version === 1 ? 'added' : 'changed', type, key, version, value }]
  }
  if (effect.kind === 'lease') return []
  const kind = effect.reason === 'taken' ? 'removed' : effect.reason
  return entryChangeKinds.includes(kind) ? [{ kind, type, key }] : []
}
