import type { JournalRecord } from '../journal/index.ts'
import type { DecisionRow, PreparedRow, Replica, SnapshotBody } from '../partition/index.ts'
import { keyOf, ownLayouts, readJournaled, type Effect, type Table } from '../space/index.ts'
import { foldTo, newestUpTo, oldestOf, type JournalOf, type PartitionHistory, type Tools } from './history.ts'
import { timeText } from './point.ts'

/** What the fold over one partition's journal found. */
export interface JournalReport {
  readonly partition: number
  readonly journal: string
  readonly epoch: number
  readonly index: number
  readonly records: number
  readonly bytes: number
  readonly voids: number
  readonly closed: boolean
  readonly unit: string | undefined
  /** Partition time of the last record, ISO 8601. */
  readonly time: string
  readonly change: number
  /** Hash of the state. */
  readonly hash: string
  /** Hash of the last record, with which the chain goes on. */
  readonly record: string
  /** Sessions that are registered here (SP12). */
  readonly sessions: number
  readonly entries: Readonly<Record<string, number>>
  /** Transactions without an outcome here, and outcomes that not every participant knows (TX4). */
  readonly transactions: readonly TransactionReport[]
  readonly snapshots: readonly SnapshotReport[]
  /** Where the fold began: the first record, or a snapshot, because the journal was trimmed or it saves work. */
  readonly from: 'zero' | number
}

/** A transaction over several partitions that was not over when the application ended. */
export type TransactionReport =
  | {
      readonly transaction: string
      readonly state: 'prepared'
      /** The partition that knows the outcome, and is asked for it when the application starts. */
      readonly coordinator: number
      /** What it will change here if it is committed. */
      readonly effects: number
    }
  | {
      readonly transaction: string
      readonly state: 'committed' | 'aborted'
      /** The partitions that do not know it yet. */
      readonly partitions: readonly number[]
    }

/** A snapshot of the folder: whether a record names it, and whether it gives the same state. */
export interface SnapshotReport extends SnapshotBody {
  readonly named: boolean
}

/** One line of the effects dump. */
export type EffectLine = Readonly<Record<string, unknown>>

export interface InspectOptions extends JournalOf, Tools {
  /** The state to stop at, and what is known of the partition's history; undefined for the journal's end. */
  readonly at?: { readonly history: PartitionHistory; readonly index: number } | undefined
  /** True where snapshots may be newer than what is looked at. */
  readonly isRunning?: boolean | undefined
  /** Told of every record and its effects, in journal order. */
  readonly onEffects?: ((lines: readonly EffectLine[]) => void) | undefined
}

/** Verifies the chain of one partition and folds it to its end, or to an index. JOURNAL_CORRUPT says where it is not sound. */
export async function inspectJournal(options: InspectOptions): Promise<{ report: JournalReport; replica: Replica }> {
  const { journal, id, partition, at } = options
  // Whoever wants every effect wants those before the newest snapshot too.
  const begun =
    at === undefined || options.onEffects !== undefined
      ? await oldestOf(options, options)
      : await newestUpTo(at.history, at.index, options)
  const { replica, from } = begun
  let records = 0
  let bytes = 0
  const lines = options.onEffects === undefined ? undefined : new EffectLines(partition, replica)
  replica.observe((record, effects) => {
    if (lines !== undefined)
      options.onEffects?.([...lines.of(record.kind, record.index, record.time, effects), ...lines.callsIn(record)])
  })
  await foldTo(replica, journal, at?.index ?? Infinity, (length) => {
    records += 1
    bytes += length
  })
  const named = new Set((at?.history.named ?? replica.named).map(({ index, hash }) => `${index}-${hash}`))
  const { head } = replica.fold
  const isPart = at !== undefined || options.isRunning === true
  const snapshots = (await journal.listSnapshots()).filter(({ index }) => !isPart || index <= head.index)
  const report: JournalReport = {
    partition,
    journal: hex(id),
    epoch: head.epoch,
    index: head.index,
    records,
    bytes,
    voids: replica.fold.voids,
    closed: replica.closed,
    unit: replica.unit,
    time: timeText(replica.machine.time),
    change: replica.machine.change,
    hash: replica.hash(),
    record: hex(head.hash),
    sessions: replica.machine.table(ownLayouts.session.name).size,
    entries: Object.fromEntries(unitTables(replica).map((table) => [table.layout.name, table.size])),
    transactions: transactionsOf(replica),
    snapshots: snapshots.map((name) => ({ ...name, named: named.has(`${name.index}-${name.hash}`) })),
    from,
  }
  return { report, replica }
}

/** The tables of the unit's own entry types, of those that a journal knows of. */
export function unitTables(replica: Replica): readonly Table[] {
  return replica.machine.tables.filter((table) => !table.isVolatile && !table.layout.name.startsWith('plenum.'))
}

function transactionsOf({ machine }: Replica): readonly TransactionReport[] {
  const prepared = [...machine.table(ownLayouts.prepared.name).rows()].map(({ value }): TransactionReport => {
    const { transaction, coordinator, effects } = value as unknown as PreparedRow
    return { transaction, state: 'prepared', coordinator, effects: effects.length }
  })
  const decided = [...machine.table(ownLayouts.decision.name).rows()].map(({ value }): TransactionReport => {
    const { transaction, committed, partitions } = value as unknown as DecisionRow
    return { transaction, state: committed ? 'committed' : 'aborted', partitions }
  })
  return [...prepared, ...decided]
}

/** Turns effects into lines; it follows the state itself, because a put alone does not say whether it was the first. */
class EffectLines {
  readonly #partition: number
  readonly #replica: Replica

  constructor(partition: number, replica: Replica) {
    this.#partition = partition
    this.#replica = replica
  }

  /** The calls that are recorded (TT3), behind what they and others have changed in the same record. */
  callsIn({ kind, index, body }: JournalRecord): readonly EffectLine[] {
    if (kind !== 'BATCH') return []
    const made = readJournaled(body, (number) => this.#replica.machine.tables[number]!)
    return made.flatMap(({ call }) =>
      call === undefined ? [] : [{ partition: this.#partition, index, kind: 'call', ...call }],
    )
  }

  of(kind: string, index: number, time: number, effects: readonly Effect[]): readonly EffectLine[] {
    const base = { partition: this.#partition, index }
    if (kind !== 'BATCH') return [{ ...base, kind: kind.toLowerCase() }]
    const answers = effects.filter((effect) => effect.kind === 'put' && effect.table === answerTable)
    const answer = answers.length === 1 && answers[0]?.kind === 'put' ? answers[0].value : undefined
    const request = answer === undefined ? {} : { session: answer['session'], request: answer['number'] }
    return effects.flatMap((effect) => {
      if (effect.kind === 'snapshot-begins') return [{ ...base, kind: 'snapshot-begins' }]
      const { layout } = this.#replica.machine.tables[effect.table]!
      if (layout.name.startsWith('plenum.')) return []
      if (effect.kind === 'remove') {
        const reason = effect.reason === 'expired' ? 'expired' : 'removed'
        return [{ ...base, kind: reason, type: layout.name, key: keyText(effect.key), ...request, time }]
      }
      if (effect.kind === 'lease') {
        const ends = effect.lease === undefined ? {} : { expiresAt: effect.lease.expiresAt }
        return [{ ...base, kind: 'renewed', type: layout.name, key: keyText(effect.key), ...ends, ...request, time }]
      }
      const table = this.#replica.machine.tables[effect.table]!
      const put = effect.version === 1 ? 'added' : 'changed'
      const key = keyText(keyOf(table, effect.value))
      return [
        { ...base, kind: put, type: layout.name, key, version: effect.version, value: effect.value, ...request, time },
      ]
    })
  }
}

const answerTable = Object.keys(ownLayouts).indexOf('answer')

function keyText(key: Readonly<Record<string, unknown>>): unknown {
  const values = Object.values(key)
  return values.length === 1 ? values[0] : key
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
