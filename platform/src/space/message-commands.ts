// Messages between partitions (UN12): what one partition asks of another, and of itself.
import type { AttemptError } from './claim-commands.ts'
import type { Caller } from './requests.ts'

/** A handler that is to be called, and with what. */
export interface MessageCall {
  readonly handler: string
  readonly input: unknown
  /** The route by which it is sent: the handler must still have it when it arrives. */
  readonly route: unknown
  readonly caller: Caller
}

/** A message that a handler sends, with the commit of its call. */
export interface SentMessage {
  /** The partition of its receiver. */
  readonly to: number
  readonly call: MessageCall
  /** Milliseconds of partition time until it is delivered. */
  readonly afterMs: number
}

/** A message of a projection: the record whose change made it, and its place among those of the record. */
export interface ProjectedSend {
  readonly index: number
  readonly offset: number
  /** Of the message, as it is encoded. */
  readonly bytes: number
  readonly message: SentMessage
}

/** A message that could not be delivered. */
export interface DeadMessage {
  readonly id: string
  readonly handler: string
  readonly input: unknown
  /** The last errors, oldest first. */
  readonly errors: readonly AttemptError[]
}

/** What a partition says of its messages. */
export interface MessagesTold {
  /** Messages that are not delivered yet. */
  readonly pending: number
  readonly dead: readonly DeadMessage[]
}

/**
 * What came of a delivery: `done` now or before, or `void`, because it was voided before: then it was not done and never
 * will be.
 */
export type Delivered = 'done' | 'void'

export type MessageCommand =
  /**
   * Calls a handler once, whatever comes again. `number` counts the messages of one partition to another, and all below
   * `lowest` are over. Without a call, the message of this number will never be delivered, if it was not yet.
   */
  | {
      readonly kind: 'deliver'
      readonly from: number
      readonly number: number
      readonly lowest: number
      readonly call: MessageCall | undefined
    }
  /** These messages are delivered: they are forgotten where they were sent. */
  | { readonly kind: 'delivered'; readonly ids: readonly string[] }
  /** The time of these messages has come. */
  | { readonly kind: 'messages-due'; readonly ids: readonly string[] }
  /** A message is a dead letter. */
  | { readonly kind: 'bury'; readonly id: string; readonly number: number; readonly errors: readonly AttemptError[] }
  /** What is not delivered, and the dead letters, so many at most. */
  | { readonly kind: 'messages'; readonly limit: number }
  /** Forgets these dead letters; answered with their number. */
  | { readonly kind: 'discard'; readonly ids: readonly string[] }
  /** Makes messages of what a projection has sent, unless they were made before (UN6). */
  | { readonly kind: 'project'; readonly projection: string; readonly sends: readonly ProjectedSend[] }
  /** Sends these dead letters once more, or all; answered with their number. */
  | { readonly kind: 'send-again'; readonly ids: readonly string[] | undefined }
