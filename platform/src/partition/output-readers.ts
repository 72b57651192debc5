import type { Limits } from '../kernel/index.ts'
import type { Timer, Timers } from '../runtime/index.ts'
import type { OutputPlace, OutputsTold, ProjectionCommand } from '../space/index.ts'
import type { OutputNumber } from './output-number.ts'
import type { KeptOutput } from './output-ring.ts'
import { otherJournal, overloaded } from './primary-errors.ts'
import type { Projections } from './projections.ts'

type OutputsCommand = Extract<ProjectionCommand, { kind: 'outputs' }>

interface Reader {
  readonly id: string
  readonly projection: string
  readonly since: OutputNumber
  readonly resolve: (told: OutputsTold) => void
  readonly reject: (error: unknown) => void
  readonly timer: Timer
}

/** What those who read outputs need of a primary. */
export interface OutputReadersOptions {
  /** Undefined where the unit has none. */
  readonly projections: Projections
  readonly journalId: Uint8Array
  readonly limits: Limits
  readonly timers: Timers
  /** Whether nobody else can reign. */
  readonly leaseHolds: () => boolean
}

/**
 * Those who read what the projections of a partition put out (UN6): each asks what came after a number, and waits here
 * if nothing did. What is put out is acked, so whoever reigns tells the same.
 */
export class OutputReaders {
  readonly #options: OutputReadersOptions
  readonly #journal: string
  readonly #waiting = new Map<string, Reader>()

  constructor(options: OutputReadersOptions) {
    this.#options = options
    this.#journal = [...options.journalId].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  /** The outputs after a place; without one, where the newest stands. */
  ask({ projection, since, wait }: OutputsCommand): Promise<OutputsTold> {
    const { projections, limits, timers, leaseHolds } = this.#options
    try {
      const ring = projections.outputsOf(projection)
      if (since === undefined) return Promise.resolve({ kind: 'outputs', outputs: [], place: this.#place(ring.last) })
      if (since.journal !== this.#journal) throw otherJournal()
      // An older copy of the journal was put in its place: what it will put out is not what the reader has seen. One whose
      // reign is over without its knowledge may only be behind.
      if (since.index > projections.index && leaseHolds())
        return Promise.resolve({ kind: 'gone', place: this.#place(ring.last) })
      const told = this.#collect(projection, since)
      if (told.kind === 'gone' || told.outputs.length > 0 || wait.ms <= 0) return Promise.resolve(told)
      if (this.#waiting.size >= limits.watchersMax) throw overloaded('watchersMax', limits.watchersMax)
      this.#settle(wait.id)
      const { promise, resolve, reject } = Promise.withResolvers<OutputsTold>()
      const timer = timers.after(wait.ms, () => this.#settle(wait.id))
      this.#waiting.set(wait.id, { id: wait.id, projection, since, resolve, reject, timer })
      return promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** More is folded: whoever has something to read is told. */
  onFolded(): void {
    for (const { id, projection, since } of this.#waiting.values()) {
      const { last } = this.#options.projections.outputsOf(projection)
      if (last.index !== since.index || last.offset !== since.offset) this.#settle(id)
    }
  }

  /** Ends a wait; false if nobody waits under this name. */
  cancel(id: string): boolean {
    return this.#settle(id)
  }

  /** Nobody reads here any more. */
  abandon(error: unknown): void {
    for (const { timer, reject } of this.#waiting.values()) {
      timer.stop()
      reject(error)
    }
    this.#waiting.clear()
  }

  /** Forgets everybody without a word. */
  stop(): void {
    for (const { timer } of this.#waiting.values()) timer.stop()
    this.#waiting.clear()
  }

  #settle(id: string): boolean {
    const reader = this.#waiting.get(id)
    if (reader === undefined) return false
    this.#waiting.delete(id)
    reader.timer.stop()
    reader.resolve(this.#collect(reader.projection, reader.since))
    return true
  }

  #collect(projection: string, since: OutputNumber): OutputsTold {
    const ring = this.#options.projections.outputsOf(projection)
    if (!ring.reaches(since)) return { kind: 'gone', place: this.#place(ring.last) }
    const outputs = ring.after(since, this.#options.limits.watchChangesMax)
    return {
      kind: 'outputs',
      outputs: outputs.map((one) => this.#output(one)),
      place: this.#place(outputs.at(-1) ?? since),
    }
  }

  #output({
    index,
    offset,
    topic,
    event,
  }: KeptOutput): OutputPlace & { readonly topic: string; readonly event: unknown } {
    return { journal: this.#journal, index, offset, topic, event }
  }

  #place({ index, offset }: OutputNumber): OutputPlace {
    return { journal: this.#journal, index, offset }
  }
}
