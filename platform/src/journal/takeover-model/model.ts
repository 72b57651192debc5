// A model of JR2-JR5: writers that follow the rule, and a stream that fences like JetStream.
//
// The stream checks a packet once, when the leader proposes it, against what is stored and proposed; when it is stored
// nobody checks again. So a dropped proposal shifts every later one, and the leader goes on counting it until an
// election. A proposal that is not stored yet is nothing but a packet that will be stored unless it is dropped, so the
// model proposes and stores in one step. Packets are never forgotten: whatever was ever sent may arrive now, later, twice
// or never, in any order, which covers loss, delay and copies alike. An outcome may stay unknown as long as the model likes.
//
// Owns the steps. Does not own verdicts (the real fold's, `records.ts`) or what a writer does with what it reads
// (`writers.ts`).
import { Folds } from './folds.ts'
import type { RecordId, Records } from './records.ts'
import {
  idleWriter,
  tailsGoBack,
  withWriter,
  type Bounds,
  type ModelState,
  type Step,
  type Variant,
  type WriterState,
} from './states.ts'
import { Writers } from './writers.ts'

export class Model {
  readonly records: Records
  readonly folds: Folds
  readonly bounds: Bounds
  readonly writers: Writers
  readonly variant: Variant

  constructor(records: Records, bounds: Bounds, variant: Variant) {
    this.records = records
    this.folds = new Folds(records)
    this.bounds = bounds
    this.writers = new Writers(records, bounds, variant)
    this.variant = variant
  }

  /** Writer 0 has opened epoch 1 and sends its first window. */
  start(): ModelState {
    const { bounds, records } = this
    const open = records.stamp(0, 0, 0, 0)
    const { head } = records.judge(0, open, 1)
    const writers = bounds.writers.map(({ resolves }, i): WriterState => {
      const writer = { ...idleWriter, resolves, follows: i === 0 ? 0 : bounds.follows }
      return i === 0 ? { ...writer, role: 'primary', head, found: tailsGoBack(bounds) ? [open] : [] } : writer
    })
    const { drops, elections, unchecked, regressions, stales } = bounds
    const empty = { counted: 0, sent: [], acks: [], promised: [] }
    const left = { drops, elections, unchecked, regressions, stales }
    return this.writers.seal({ ...empty, ...left, stream: [open], head, writers }, 0)
  }

  /** Everything that can happen next. */
  steps(state: ModelState): Step[] {
    const steps: Step[] = []
    for (const record of state.sent) this.#arrivals(state, record, steps)
    if (state.elections > 0 && state.counted > 0) {
      steps.push({ label: 'election', state: { ...state, counted: 0, elections: state.elections - 1 } })
    }
    if (state.regressions > 0) {
      for (const lost of [1, 2]) if (lost < state.stream.length) steps.push(this.#regression(state, lost))
    }
    state.writers.forEach((writer, i) => this.#moves(state, writer, i, steps))
    return steps
  }

  /** Whether a packet passes the check. */
  fits(state: ModelState, record: RecordId): boolean {
    return this.records.record(record).position === state.stream.length + state.counted + 1
  }

  /** Puts a record at the end of the stream, whatever it aimed at. */
  store(state: ModelState, record: RecordId): ModelState {
    const { records, writers, bounds } = this
    const stream = [...state.stream, record]
    const { head } = records.judge(state.head, record, stream.length)
    const clear = bounds.regressions > 0 && records.record(record).position === stream.length
    const acks = clear && !state.acks.includes(record) ? [...state.acks, record].toSorted((a, b) => a - b) : state.acks
    return writers.forget({ ...state, stream, head, acks })
  }

  #arrivals(state: ModelState, record: RecordId, steps: Step[]): void {
    const fits = this.fits(state, record)
    if (fits || state.unchecked > 0) {
      const stored = this.store(state, record)
      steps.push({
        label: `${this.records.name(record)} is stored at ${state.stream.length + 1}`,
        state: fits ? stored : this.writers.forget({ ...stored, unchecked: state.unchecked - 1 }),
      })
    }
    if (fits && state.drops > 0) {
      steps.push({
        label: `${this.records.name(record)} is proposed and dropped`,
        state: { ...state, counted: state.counted + 1, drops: state.drops - 1 },
      })
    }
  }

  #regression(state: ModelState, lost: number): Step {
    const stream = state.stream.slice(0, -lost)
    const head = this.folds.of(stream).heads.at(-1)!
    return {
      label: `the stream loses its last ${lost} records`,
      state: { ...state, stream, head, regressions: state.regressions - 1 },
    }
  }

  #moves(state: ModelState, writer: WriterState, i: number, steps: Step[]): void {
    const { writers, records } = this
    if (writer.role === 'idle') {
      // Those who have not begun are alike: the first of them begins.
      if (state.writers[i - 1]?.role === 'idle') return
      this.#readings(state, steps, `writer ${i} sends its OPEN`, (seen) => writers.open(seen, i))
      if (writer.follows > 0) this.#readings(state, steps, `writer ${i} follows`, (seen) => writers.follow(seen, i))
      return
    }
    const [first] = writer.window
    if (first === undefined) return
    const acked = writers.ack(state, i)
    if (acked !== undefined)
      steps.push({ label: `writer ${i} learns that ${records.name(first)} is acked`, state: acked })
    if (this.variant === 'later acks count') this.#laterAcks(state, writer, i, steps)
    if (writer.resolves === 0 && !writer.restoring) return
    const left = writer.restoring ? state : withWriter(state, i, { ...writer, resolves: writer.resolves - 1 })
    this.#readings(left, steps, `writer ${i} has no clear outcome`, (seen) => writers.resolve(seen, i))
  }

  /** A member reads to the tail and acts on it; the tail may be an old leader's. */
  #readings(state: ModelState, steps: Step[], label: string, act: (seen: ModelState) => ModelState): void {
    const { stream } = state
    steps.push({ label: `${label}, having read to ${stream.length}`, state: act(state) })
    if (state.stales === 0) return
    for (let end = 1; end < stream.length; end++) {
      const acted = act({ ...state, stream: stream.slice(0, end), stales: state.stales - 1 })
      steps.push({
        label: `${label}, having read to ${end} at an old leader`,
        state: this.writers.forget({ ...acted, stream }),
      })
    }
  }

  #laterAcks(state: ModelState, writer: WriterState, i: number, steps: Step[]): void {
    for (const record of writer.window.slice(1)) {
      const stands = state.stream[this.records.record(record).position - 1] === record
      if (!stands || writer.believed.includes(record)) continue
      steps.push({
        label: `writer ${i} believes the ack of ${this.records.name(record)}`,
        state: withWriter(state, i, { ...writer, believed: [...writer.believed, record] }),
      })
    }
  }
}
