// Calls of handlers as a journal keeps them where that is asked for (TT3): all that a call depends on beside the state,
// and its outcome, so that it can be made again on other code.
import { ByteReader, readValue, writeValue, type ByteWriter } from '../codec/index.ts'
import { readEffect, type Effect } from './effects.ts'
import type { Answer, Caller, ErrorData } from './requests.ts'
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

/** Why a call is kept by its name alone, by the byte with which it begins; 0 is one that is kept whole. */
const whys = [undefined, 'too large', 'not plain'] as const

/**
 * Writes a call from the beginning of `writer`, which is nobody else's; by its name and time alone if it takes more than
 * `bytesMax`, or if an error holds what is not plain.
 */
export function encodeCall(writer: ByteWriter, call: RecordedCall, bytesMax: number): Uint8Array {
  writeName(writer, undefined, call)
  try {
    writeRest(writer, call)
    if (writer.at > bytesMax) writeName(writer, 'too large', call)
  } catch {
    writeName(writer, 'not plain', call)
  }
  return writer.written()
}

function writeName(writer: ByteWriter, why: UnkeptCall['why'] | undefined, { handler, now }: RecordedCall): void {
  writer.at = 0
  writer.byte(whys.indexOf(why))
  writer.string(handler)
  writer.float64(now)
}

// Field by field: the names of the fields, written with each call, would take most of the time and room.
function writeRest(writer: ByteWriter, { input, caller, random, ids, outcome }: RecordedCall): void {
  writeValue(writer, input)
  writeValue(writer, caller)
  writer.varint(random.length)
  for (const number of random) writer.float64(number)
  writer.varint(ids.length)
  for (const id of ids) writer.string(id)
  writer.byte(outcome.ok ? 1 : 0)
  writeValue(writer, outcome.ok ? outcome.value : outcome.error)
}

/** The call that `encodeCall` wrote. */
export function decodeCall(bytes: Uint8Array): RecordedCall | UnkeptCall {
  const reader = new ByteReader(bytes)
  const why = whys[reader.byte()]
  const [handler, now] = [reader.string(), reader.float64()]
  if (why !== undefined) return { handler, now, why }
  const [input, caller] = [readValue(reader), readValue(reader) as Caller]
  const random = Array.from({ length: reader.varint() }, () => reader.float64())
  const ids = Array.from({ length: reader.varint() }, () => reader.string())
  const isOk = reader.byte() === 1
  const value = readValue(reader)
  const outcome: Answer = isOk ? { ok: true, value } : { ok: false, error: value as ErrorData }
  return { handler, input, caller, now, random, ids, outcome }
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
        decodeCall(effect.call),
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
