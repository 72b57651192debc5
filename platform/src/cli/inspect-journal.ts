import type { Journal } from '../journal/index.ts'
import { loadSnapshot, Replica, type DecisionRow, type PreparedRow, type SnapshotBody } from '../partition/index.ts'
import type { Limits } from '../kernel/index.ts'
import type { Runtime } from '../runtime/index.ts'
import { keyOf, ownLayouts, type Effect, type Table } from '../space/index.ts'

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
  readonly hash: string
  readonly entries: Readonly<Record<string, number>>
  /** Transactions without an outcome here, and outcomes that not every participant knows (TX4). */
  readonly transactions: readonly TransactionReport[]
  readonly snapshots: readonly SnapshotReport[]
  /** Where the fold began: the first record, or the oldest snapshot if the journal was trimmed. */
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

export interface InspectOptions {
  readonly journal: Journal
  readonly journalId: Uint8Array
  readonly partition: number
  readonly runtime: Runtime
  readonly limits: Limits
  /** Told of every record and its effects, in journal order. */
  readonly onEffects?: ((lines: readonly EffectLine[]) => void) | undefined
}

/** Verifies the chain of one partition and folds it to its end. JOURNAL_CORRUPT says where it is not sound. */
export async function inspectJournal(options: InspectOptions): Promise<{ report: JournalReport; replica: Replica }> {
  const { journal, journalId, partition, runtime, limits } = options
  const tail = await journal.open()
  const names = await journal.listSnapshots()
  let replica = new Replica({ journal: journalId, digest: (parts) => runtime.digest(parts), limits, keepRecent: false })
  let from: 'zero' | number = 'zero'
  if (tail.first > 1) {
    const oldest = names.at(-1)
    const loaded = oldest === undefined ? undefined : await loadSnapshot(journal, oldest, optionsOf(options))
    if (loaded instanceof Replica) {
      replica = loaded
      from = replica.fold.head.index
    }
  }
  let records = 0
  let bytes = 0
  const lines = options.onEffects === undefined ? undefined : new EffectLines(partition, replica)
  replica.observe((record, effects) => {
    if (lines !== undefined) options.onEffects?.(lines.of(record.kind, record.index, record.time, effects))
  })
  for await (const found of journal.read(replica.fold.head.next)) {
    replica.offer(found)
    records += 1
    bytes += found.bytes.length
  }
  const named = new Set(replica.named.map(({ index, hash }) => `${index}-${hash}`))
  const report: JournalReport = {
    partition,
    journal: hex(journalId),
    epoch: replica.fold.head.epoch,
    index: replica.fold.head.index,
    records,
    bytes,
    voids: replica.fold.voids,
    closed: replica.closed,
    unit: replica.unit,
    time: new Date(replica.machine.time).toISOString(),
    change: replica.machine.change,
    hash: replica.hash(),
    entries: Object.fromEntries(unitTables(replica).map((table) => [table.layout.name, table.size])),
    transactions: transactionsOf(replica),
    snapshots: names.map((name) => ({ ...name, named: named.has(`${name.index}-${name.hash}`) })),
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

function optionsOf(options: InspectOptions): ConstructorParameters<typeof Replica>[0] {
  const { journalId, runtime, limits } = options
  return { journal: journalId, digest: (parts) => runtime.digest(parts), limits, keepRecent: false }
}

/** Turns effects into lines; it follows the state itself, because a put alone does not say whether it was the first. */
class EffectLines {
  readonly #partition: number
  readonly #replica: Replica

  constructor(partition: number, replica: Replica) {
    this.#partition = partition
    this.#replica = replica
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
