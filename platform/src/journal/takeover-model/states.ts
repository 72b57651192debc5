import type { HeadId, RecordId } from './records.ts'

/** A wrong reading of the rule, each of which the model must catch; `none` is the right one. */
export type Variant =
  | 'none'
  | 'refusal is loss'
  | 'later acks count'
  | 'acks count anywhere'
  | 'only the first is stamped anew'
  | 'nothing is stamped anew'
  | 'as first written'
  | 'void records need no explanation'
  | 'void records are not kept'
  | 'the last record is not compared'

/** The size of one exploration. */
export interface Bounds {
  /** The writers; the first reigns at the start. `ops`: batches in all. `resolves`: how often its outcomes are unclear. */
  readonly writers: readonly { readonly ops: number; readonly resolves: number }[]
  /** Records that one writer may have in flight. */
  readonly window: number
  /** Proposals that vanish. */
  readonly drops: number
  readonly elections: number
  /** Packets that are stored although their check should have failed. */
  readonly unchecked: number
  /** How often the newest one or two records are lost and the stream answers normally. */
  readonly regressions: number
  /** How often a reader is answered by an old leader, which shows any shorter stream. */
  readonly stales: number
  /** How often each member that has not begun reads what is there, and so comes to hold it. */
  readonly follows: number
}

/** `forked` is an alarm: the member stops, keeps what it holds, and somebody must look (JR5). */
export interface WriterState {
  readonly role: 'idle' | 'opening' | 'primary' | 'fenced' | 'forked'
  /** It appends again what the stream has lost; until it has read to the tail, no ack counts. */
  readonly restoring: boolean
  /** The last record that it believes acked. */
  readonly head: HeadId
  /** What it found or believes at each position below its head's next, void records too; only where tails go back. */
  readonly found: readonly RecordId[]
  readonly window: readonly RecordId[]
  /** Batches that it believes acked. */
  readonly acked: number
  readonly resolves: number
  readonly follows: number
  /** Records that a broken variant believes acked out of turn. */
  readonly believed: readonly RecordId[]
}

export interface ModelState {
  readonly stream: readonly RecordId[]
  /** The head of the fold of the stream. */
  readonly head: HeadId
  /** Dropped proposals that the leader still counts. */
  readonly counted: number
  /** Everything ever sent that can still be stored, ascending. */
  readonly sent: readonly RecordId[]
  /** Records that were stored where they aimed, so that an ack may be on its way; only where records can be lost. */
  readonly acks: readonly RecordId[]
  /** Batches that some writer believed acked; only where records can be lost. */
  readonly promised: readonly RecordId[]
  readonly writers: readonly WriterState[]
  readonly drops: number
  readonly elections: number
  readonly unchecked: number
  readonly regressions: number
  readonly stales: number
}

/** Whether a tail can lie behind what a member has found, so that the member has to know what it found. */
export function tailsGoBack(bounds: Bounds): boolean {
  return bounds.regressions > 0 || bounds.stales > 0
}

/** One thing that happens. */
export interface Step {
  readonly label: string
  readonly state: ModelState
}

/** A member that has not begun. */
export const idleWriter: WriterState = {
  role: 'idle',
  restoring: false,
  head: 0,
  found: [],
  window: [],
  acked: 0,
  resolves: 0,
  follows: 0,
  believed: [],
}

/** What is left of a writer that was fenced or gave the alarm: nothing that it does from then on matters. */
export const fencedWriter: WriterState = { ...idleWriter, role: 'fenced' }
export const forkedWriter: WriterState = { ...idleWriter, role: 'forked' }

/** The same state with another writer `i`. */
export function withWriter(state: ModelState, i: number, writer: WriterState): ModelState {
  return { ...state, writers: state.writers.with(i, writer) }
}
