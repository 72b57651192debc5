// What a transaction asks of a partition (TX1-TX4).
import type { ClaimName } from './claim-commands.ts'
import type { ReadCommand, Answer, WriteCommand } from './requests.ts'
import type { StoredValue } from './layout.ts'
import type { Stamps } from './stamps.ts'
import type { KeyFields } from './table.ts'

/** An entry that a transaction has looked at: its stamp, or 0 where there was none. */
export interface SeenEntry {
  readonly type: string
  readonly key: KeyFields
  readonly stamp: number
}

/** A query that a transaction has asked, and the partition's change number when it did. */
export interface SeenQuery {
  readonly type: string
  readonly where: StoredValue
  readonly since: number
}

/** What a transaction has seen of a partition: it counts only if all of it is still so at the commit. */
export interface Seen {
  readonly entries: readonly SeenEntry[]
  readonly queries: readonly SeenQuery[]
}

/** A transaction's share of one partition. */
export interface TransactionPart {
  readonly seen: Seen
  readonly commands: readonly WriteCommand[]
}

/** What names a transaction to its participants. */
export interface TransactionName {
  readonly id: string
  /** The partition that knows the outcome. */
  readonly coordinator: number
  /** The coordinator's partition time after which it commits no more. */
  readonly until: number
}

/** What a partition answers to a draft. */
export interface Drafted {
  /** The stamp of what was written in the transaction itself is 0, because there is none yet. */
  readonly answer: Answer
  /** The stamps of the answer's entries, which do not travel with them. */
  readonly stamps: Stamps
  readonly seen: Seen
  /** Partition time. */
  readonly time: number
  /** What is committed in the command's place: the removals that a take or clear has chosen, or the value as admitted. */
  readonly chosen?: readonly WriteCommand[] | undefined
}

export type TransactionCommand =
  /** Runs a command on top of others that are not committed, and leaves no trace. */
  | {
      readonly kind: 'draft'
      readonly before: readonly WriteCommand[]
      readonly command: ReadCommand | WriteCommand
    }
  /** Whether what was seen is still so. */
  | { readonly kind: 'validate'; readonly seen: Seen }
  /** Holds what the part needs until the outcome is known. */
  | { readonly kind: 'prepare'; readonly transaction: TransactionName; readonly part: TransactionPart }
  /** Makes the part's changes; with other participants, this is the decision that all of them follow. */
  | {
      readonly kind: 'commit'
      readonly transaction: TransactionName
      readonly part: TransactionPart
      /** The other participants. */
      readonly partitions: readonly number[]
      /** The claim that ends with it; where that is over already, nothing is committed (UN3). */
      readonly claim?: ClaimName | undefined
    }
  /** Tells a participant what became of a transaction. */
  | { readonly kind: 'outcome'; readonly transaction: string; readonly committed: boolean }
  /** Tells the coordinator which participants know the outcome. */
  | { readonly kind: 'informed'; readonly transaction: string; readonly partitions: readonly number[] }
  /** Asks the coordinator for the outcome; what it does not know will never commit (TX4). */
  | { readonly kind: 'inquire'; readonly transaction: TransactionName }
