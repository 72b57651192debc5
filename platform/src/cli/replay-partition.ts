// The recorded calls of one partition, made again in their places in its history.
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import { Fold, type JournalRecord } from '../journal/index.ts'
import { decodeBody, type UpgradeBody } from '../partition/index.ts'
import {
  equal,
  firstUnitTable,
  Machine,
  readJournaled,
  type JournaledEffects,
  type RecordedCall,
  type Table,
} from '../space/index.ts'
import type { ResolvedUnit } from '../unit/index.ts'
import { foldTo, newestUpTo, type PartitionHistory, type Tools } from './history.ts'
import { changesOf, messagesOf, ReplayMachine, type Outcome } from './replay-machine.ts'

/** A call whose outcome is another one on the other code. */
export interface Difference {
  readonly partition: number
  readonly index: number
  /** Partition time that it ran at, milliseconds since 1970. */
  readonly now: number
  readonly handler: string
  readonly input: unknown
  readonly caller: unknown
  /** What is not the same. */
  readonly where: readonly ('answer' | 'changes' | 'messages')[]
  readonly recorded: Outcome
  readonly replayed: Outcome
}

/** What was found in the record of a command. */
export type Replayed =
  | { readonly kind: 'same'; readonly handler: string }
  | { readonly kind: 'different'; readonly handler: string; readonly difference: Difference }
  /** It was not made again: it was not kept whole, or it uses entries that are not durable. */
  | { readonly kind: 'skipped'; readonly handler: string; readonly why: 'too large' | 'not plain' | 'not durable' }
  /** Changes of entries by no call: clients, workers, sources. They are made as they were. */
  | { readonly kind: 'no call' }

export interface ReplayOptions extends Tools {
  readonly history: PartitionHistory
  readonly unit: ResolvedUnit
  readonly partitions: number
  /** The first and the last record to replay; the state before the first must be kept. */
  readonly from: number
  readonly to: number
  readonly onReplayed: (replayed: Replayed, index: number) => void
}

/** Replays the records of a range. UNIT_MISMATCH if the unit cannot follow the journal. */
export async function replayPartition(options: ReplayOptions): Promise<void> {
  const { history, from, to, runtime } = options
  const { replica } = await newestUpTo(history, from - 1, options)
  await foldTo(replica, history.journal, from - 1)
  const replay = new PartitionReplay(options, new ReplayMachine({ ...options, partition: history.partition, replica }))
  replay.declare(replica.layouts)
  const fold = new Fold(history.id, (parts) => runtime.digest(parts), replica.fold.head)
  for await (const found of history.journal.read(fold.head.next)) {
    if (fold.head.index >= to) return
    const verdict = fold.offer(found)
    if (verdict.kind === 'accepted') replay.take(verdict.record)
  }
}

class PartitionReplay {
  readonly #options: ReplayOptions
  readonly #machine: ReplayMachine
  /** The tables as the journal numbers them; they hold no rows. */
  readonly #journaled: Machine

  constructor(options: ReplayOptions, machine: ReplayMachine) {
    this.#options = options
    this.#machine = machine
    this.#journaled = new Machine(options.limits)
  }

  declare(layouts: UpgradeBody['layouts']): void {
    for (const layout of layouts) this.#journaled.declare(layout)
  }

  take(record: JournalRecord): void {
    switch (record.kind) {
      case 'OPEN':
        this.#machine.renewLeases(record.time)
        break
      case 'UPGRADE': {
        const { layouts } = decodeBody<UpgradeBody>(record)
        this.declare(layouts)
        this.#machine.declare(layouts)
        break
      }
      case 'BATCH':
        for (const made of readJournaled(record.body, this.#tables)) this.#replay(made, record.index)
        break
      case 'HEARTBEAT':
      case 'SNAPSHOT':
      case 'CLOSE':
        break
    }
    this.#machine.advance(record.time)
  }

  readonly #tables = (number: number): Table => this.#journaled.tables[number]!

  #replay({ effects, call }: JournaledEffects, index: number): void {
    const { onReplayed } = this.#options
    if (call === undefined) {
      const isChange = effects.some(
        (one) =>
          one.kind !== 'snapshot-begins' &&
          one.table >= firstUnitTable &&
          (one.kind !== 'remove' || one.reason !== 'expired'),
      )
      if (isChange) onReplayed({ kind: 'no call' }, index)
    } else {
      onReplayed('why' in call ? { kind: 'skipped', ...call } : this.#compare(call, effects, index), index)
    }
    this.#machine.follow(effects, this.#tables, index)
  }

  #compare(call: RecordedCall, effects: JournaledEffects['effects'], index: number): Replayed {
    const { handler, input, caller, now } = call
    const replayed = this.#machine.call(call)
    if (replayed === undefined) return { kind: 'skipped', handler, why: 'not durable' }
    const recorded: Outcome = {
      answer: call.outcome,
      changes: changesOf(effects, this.#tables),
      messages: messagesOf(effects),
    }
    const where = differences(recorded, replayed)
    if (where.length === 0) return { kind: 'same', handler }
    const { partition } = this.#options.history
    const difference = { partition, index, now, handler, input, caller, where, recorded, replayed }
    return { kind: 'different', handler, difference }
  }
}

function differences(recorded: Outcome, replayed: Outcome): Difference['where'] {
  const where: ('answer' | 'changes' | 'messages')[] = []
  if (!same(answerOf(recorded), answerOf(replayed))) where.push('answer')
  if (!same(recorded.changes, replayed.changes)) where.push('changes')
  if (!same(recorded.messages, replayed.messages)) where.push('messages')
  return where
}

/** Of an error what a program can see: its message may have another wording, or be hidden. */
function answerOf({ answer }: Outcome): unknown {
  return answer.ok ? { value: answer.value } : { code: answer.error.code, details: answer.error.details }
}

/** Whether two values are the same once a journal has had them, whatever the order of their fields. */
function same(recorded: unknown, replayed: unknown): boolean {
  try {
    return equal(kept(recorded), kept(replayed))
  } catch {
    // An error with details that no journal keeps would not have been recorded.
    return false
  }
}

function kept(value: unknown): unknown {
  const writer = new ByteWriter(256)
  writeValue(writer, value)
  return readValue(new ByteReader(writer.written()))
}
