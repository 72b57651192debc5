// Calls of handlers as a journal keeps them where that is asked for (TT3): all that a call depends on beside the state,
// and its outcome, so that it can be made again on other code.
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import { readEffect, type Effect } from './effects.ts'
import type { Answer, Caller } from './requests.ts'
import type { Table } from './table.ts'

/** A call that was made. */
export interface RecordedCall {
  readonly handler: string
  /** As the handler got it. */
  readonly input: unknown
  readonly caller: Caller
  /** Partition time that it ran at. */
  readonly now: number
  /** The random numbers and the ids that it drew, in order. */
  readonly random: readonly number[]
  readonly ids: readonly string[]
  /** What the handler returned or threw. */
  readonly outcome: Answer
}

/** What is kept of a call that cannot be recorded. */
export interface UnkeptCall {
  readonly handler: string
  readonly now: number
  readonly why: 'too large' | 'not plain'
}

/** What one command did, as it stands in a record. */
export interface JournaledEffects {
  readonly effects: readonly Effect[]
  /** The call that it was, if it was one and is recorded. */
  readonly call: RecordedCall | UnkeptCall | undefined
}

/** A call as bytes; its name alone where they are more than `bytesMax`, or where an error holds what is not plain. */
export function encodeCall(call: RecordedCall, bytesMax: number): Uint8Array {
  const writer = new ByteWriter(256)
  let why: UnkeptCall['why'] = 'too large'
  try {
    writeValue(writer, call)
    if (writer.at <= bytesMax) return writer.written()
  } catch {
    why = 'not plain'
  }
  const { handler, now } = call
  const small = new ByteWriter(256)
  writeValue(small, { handler, now, why } satisfies UnkeptCall)
  return small.written()
}

/** What a record's effects are of, command by command, as far as marks tell them apart. */
export function readJournaled(body: Uint8Array, tables: (number: number) => Table): readonly JournaledEffects[] {
  const reader = new ByteReader(body)
  const groups: JournaledEffects[] = []
  let open: { readonly at: number; readonly effect: Effect }[] = []
  const close = (effects: typeof open, call?: JournaledEffects['call']): void => {
    if (effects.length > 0 || call !== undefined) groups.push({ effects: effects.map(({ effect }) => effect), call })
  }
  while (!reader.done) {
    const at = reader.at
    const effect = readEffect(reader, tables)
    if (effect.kind === 'call') {
      // Commands that changed leases alone end without a mark.
      close(open.filter((one) => one.at < effect.from))
      close(
        open.filter((one) => one.at >= effect.from),
        readValue(new ByteReader(effect.call)) as RecordedCall,
      )
      open = []
    } else if (effect.kind === 'commit') {
      close(open)
      open = []
    } else {
      open.push({ at, effect })
    }
  }
  close(open)
  return groups
}
