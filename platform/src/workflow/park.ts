import type { AttemptContext } from '../unit/index.ts'
import type { StepRow, Trouble } from './rows.ts'
import type { RetryRule } from './workflow-definition.ts'

/** Why and until when an instance is left alone. */
export interface Park {
  readonly status: 'retrying' | 'sleeping' | 'waiting'
  /** Partition time; null if only somebody else can end it. */
  readonly wakeAt: number | null
  readonly trouble?: Trouble
  /** Name of the message that ends it. */
  readonly message?: string
  /** The entries that end it. */
  readonly look?: { readonly type: string; readonly where: object }
  /** The step that is waited in, if nothing is kept of it yet. */
  readonly opens?: StepRow
}

/** Milliseconds of the longest pause between two attempts. */
const backoffMsMax = 3_600_000

/** A pause after a failed attempt: twice as long each time, by chance up to a half longer or shorter. */
export function backoff(trouble: Trouble, { backoffMs }: RetryRule, { now, runtime }: AttemptContext): Park {
  const ms = Math.min(backoffMs * 2 ** (trouble.attempts - 1), backoffMsMax) * (0.5 + runtime.random.next())
  return { status: 'retrying', wakeAt: now + ms, trouble }
}
