// What a writer of the model does: the rules JR2, JR4 and JR5, and the wrong readings of them.
import type { HeadId, RecordId, Records } from './records.ts'
import {
  fencedWriter,
  forkedWriter,
  tailsGoBack,
  withWriter,
  type Bounds,
  type ModelState,
  type Variant,
  type WriterState,
} from './states.ts'

/** What reading on from a writer's head ended with. */
type Reading =
  | { readonly kind: 'at the tail'; readonly writer: WriterState }
  | { readonly kind: 'behind'; readonly again: RecordId }
  | { readonly kind: 'stuck' | 'fenced' | 'forked' }

export class Writers {
  readonly #records: Records
  readonly #bounds: Bounds
  readonly #variant: Variant
  readonly #looksBack: boolean
  readonly #keepsVoids: boolean
  readonly #compares: boolean

  constructor(records: Records, bounds: Bounds, variant: Variant) {
    this.#records = records
    this.#bounds = bounds
    this.#variant = variant
    this.#looksBack = tailsGoBack(bounds)
    this.#keepsVoids = variant !== 'void records are not kept' && variant !== 'as first written'
    this.#compares = variant !== 'the last record is not compared' && variant !== 'as first written'
  }

  /** A member reads to the tail and holds what it found. */
  follow(state: ModelState, i: number): ModelState {
    const writer = state.writers[i]!
    const reading = this.#read(state, { ...writer, follows: writer.follows - 1 })
    return reading.kind === 'at the tail' ? withWriter(state, i, reading.writer) : this.#act(state, i, writer, reading)
  }

  /** A member reads the stream and sends an OPEN, alone (PA2), unless it must append what the stream has lost (JR5). */
  open(state: ModelState, i: number): ModelState {
    const writer = state.writers[i]!
    const reading = this.#read(state, writer)
    if (reading.kind !== 'at the tail') return this.#act(state, i, writer, reading)
    const { head } = reading.writer
    const open = this.#records.stamp(i, 0, head, this.#records.head(head).index)
    return this.#send(withWriter(state, i, { ...reading.writer, role: 'opening', window: [open] }), [open])
  }

  /** An ack of the first record in flight, if it stands where it aimed (JR2). */
  ack(state: ModelState, i: number): ModelState | undefined {
    const writer = state.writers[i]!
    const first = writer.window[0]
    if (first === undefined || writer.restoring) return undefined
    const at = this.#records.record(first).position - 1
    const acked =
      this.#variant === 'acks count anywhere'
        ? state.stream.includes(first)
        : state.stream[at] === first || state.acks.includes(first)
    if (!acked) return undefined
    return this.seal(this.#promise(withWriter(state, i, this.#counted(writer)), first), i)
  }

  /** Reads from the last acked record to the tail and acts on what stands there (JR4). */
  resolve(state: ModelState, i: number): ModelState {
    const before = state.writers[i]!
    const reading = this.#read(state, before)
    if (reading.kind !== 'at the tail') return this.#act(state, i, before, reading)
    const { writer } = reading
    let read = withWriter(state, i, writer)
    for (const record of before.window) if (!writer.window.includes(record)) read = this.#promise(read, record)
    if (writer.window.length === 0) return this.seal(read, i)
    const free = this.#records.record(writer.window[0]!).position === this.#records.head(writer.head).next
    const window = this.#again(writer, free)
    return this.seal(this.#send(withWriter(read, i, { ...writer, window }), window), i)
  }

  /** The record that a member appends again now, because the stream has lost it. */
  lostRecord(state: ModelState, i: number): RecordId | undefined {
    const reading = this.#looksBack ? this.#lookBack(state, state.writers[i]!) : undefined
    return reading?.kind === 'behind' ? reading.again : undefined
  }

  /** A primary keeps its window full. */
  seal(state: ModelState, i: number, ops = this.#bounds.writers[i]!.ops): ModelState {
    const writer = state.writers[i]!
    if (writer.role !== 'primary') return state
    const window = [...writer.window]
    const { index } = this.#records.head(writer.head)
    while (window.length < this.#bounds.window && writer.acked + window.length < ops) {
      const last = window.at(-1)
      const after = last === undefined ? writer.head : this.#records.headAfter(last)
      window.push(this.#records.stamp(i, writer.acked + window.length + 1, after, index))
    }
    if (window.length === writer.window.length) return state
    return this.#send(withWriter(state, i, { ...writer, window }), window)
  }

  /** A packet that aims at a position that is taken can be stored only while checks may fail or records be lost. */
  forget(state: ModelState): ModelState {
    if (state.unchecked > 0 || state.regressions > 0) return state
    const sent = state.sent.filter((record) => this.#records.record(record).position > state.stream.length)
    return sent.length === state.sent.length ? state : { ...state, sent }
  }

  #read(state: ModelState, start: WriterState): Reading {
    const lost = this.#looksBack ? this.#lookBack(state, start) : undefined
    if (lost !== undefined) return lost
    let writer = start
    for (let position = this.#records.head(writer.head).next; position <= state.stream.length; position++) {
      const record = state.stream[position - 1]!
      const judged = this.#records.judge(writer.head, record, position)
      const { op } = this.#records.record(record)
      if (record === writer.window[0] && judged.kind === 'accepted') {
        writer = this.#counted(writer)
      } else if (judged.kind === 'corrupt') {
        return { kind: 'forked' }
      } else if (judged.kind === 'accepted' && op === 0 && writer.role !== 'idle') {
        return { kind: 'fenced' }
      } else if (judged.kind === 'accepted' && writer.role === 'primary' && this.#variant !== 'refusal is loss') {
        return { kind: 'forked' }
      } else {
        writer = { ...writer, head: judged.head, found: this.#hold(writer.found, record) }
      }
    }
    return { kind: 'at the tail', writer: { ...writer, restoring: false } }
  }

  /** Compares what this member holds with the stream at the last place that both have (JR5). */
  #lookBack(state: ModelState, writer: WriterState): Reading | undefined {
    const behind = state.stream.length < writer.found.length
    const last = Math.min(state.stream.length, writer.found.length)
    if (this.#compares && last > 0 && state.stream[last - 1] !== writer.found[last - 1]) return { kind: 'forked' }
    if (!behind) return undefined
    const again = writer.found[last]!
    if (this.#keepsVoids) return { kind: 'behind', again }
    let head: HeadId = 0
    for (const [at, record] of writer.found.slice(0, last).entries())
      head = this.#records.judge(head, record, at + 1).head
    return this.#records.judge(head, again, last + 1).kind === 'accepted'
      ? { kind: 'behind', again }
      : { kind: 'stuck' }
  }

  #act(
    state: ModelState,
    i: number,
    writer: WriterState,
    reading: Exclude<Reading, { kind: 'at the tail' }>,
  ): ModelState {
    switch (reading.kind) {
      case 'behind':
        return this.#send(withWriter(state, i, { ...writer, restoring: true }), [reading.again])
      case 'fenced':
        return withWriter(state, i, fencedWriter)
      case 'forked':
        return withWriter(state, i, forkedWriter)
      case 'stuck':
        return withWriter(state, i, { ...writer, restoring: true })
    }
  }

  /** The first record in flight counts as acked: the head moves over it without asking the fold. */
  #counted(writer: WriterState): WriterState {
    const [first, ...window] = writer.window
    return {
      ...writer,
      role: 'primary',
      head: this.#records.headAfter(first!),
      found: this.#hold(writer.found, first!),
      window,
      acked: writer.role === 'opening' ? 0 : writer.acked + 1,
    }
  }

  #hold(found: readonly RecordId[], record: RecordId): readonly RecordId[] {
    return this.#looksBack ? [...found, record] : found
  }

  #promise(state: ModelState, record: RecordId): ModelState {
    return this.#bounds.regressions > 0 ? { ...state, promised: [...state.promised, record] } : state
  }

  #again(writer: WriterState, free: boolean): readonly RecordId[] {
    switch (this.#variant) {
      case 'refusal is loss':
        return this.#stampAnew(writer, 1)
      case 'nothing is stamped anew':
        return writer.window
      case 'only the first is stamped anew':
        return free ? writer.window : [...this.#stampAnew(writer, 0).slice(0, 1), ...writer.window.slice(1)]
      default:
        return free ? writer.window : this.#stampAnew(writer, 0)
    }
  }

  #stampAnew(writer: WriterState, attempts: number): readonly RecordId[] {
    const { index } = this.#records.head(writer.head)
    let after = writer.head
    return writer.window.map((record) => {
      const { writer: i, op, attempt } = this.#records.record(record)
      const anew = this.#records.stamp(i, op, after, index, attempt + attempts)
      after = this.#records.headAfter(anew)
      return anew
    })
  }

  #send(state: ModelState, records: readonly RecordId[]): ModelState {
    const sent = new Set([...state.sent, ...records])
    return this.forget({ ...state, sent: [...sent].toSorted((a, b) => a - b) })
  }
}
