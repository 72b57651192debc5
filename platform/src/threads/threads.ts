// The partitions of an application on several threads of one process, and the channels to them.
//
// Owns the places of the threads. Does not own the journals, which stay with whoever made this and outlive every thread.
// Called by compositions.
//
// I1 Each partition is in one place for ever, and in one thread at a time.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import type { Journal } from '../journal/index.ts'
import type { PartitionChannel } from '../router/index.ts'
import type { Runtime, Thread } from '../runtime/index.ts'
import { Seat, type Prepared, type SeatEvent } from './seat.ts'
import type { Run } from './thread-errors.ts'
import { ThreadLife, type Watching } from './thread-life.ts'
import type { LoadedUnit, ThreadData, ThreadEvent } from './thread-subjects.ts'

export interface ThreadsOptions {
  /** How many; no more than there are partitions. */
  readonly threads: number
  readonly journals: readonly { readonly id: Uint8Array; readonly journal: Journal; readonly bytesMax: number }[]
  readonly limits: Limits
  readonly runtime: Runtime
  readonly development: boolean
  readonly runsWork: boolean
  readonly recordsCalls: boolean
  /** Memory in which a thread tells what it runs. */
  readonly newCells: () => SharedArrayBuffer
  readonly start: (data: ThreadData) => Thread
  readonly watch: (cells: SharedArrayBuffer, functions: readonly string[], onStuck: (run: Run) => void) => Watching
  readonly onEvent: (partition: number | undefined, event: ThreadEvent | SeatEvent) => void
  readonly onRecovered: (partition: number) => void
  /** Whether each thread has one ready to follow it; no unless told. */
  readonly keepsSpares?: boolean | undefined
  /** Told of the files of the application that threads load; undefined if nobody wants to know. */
  readonly onFile?: ((file: string) => void) | undefined
}

export class Threads {
  readonly channels: readonly PartitionChannel[]
  readonly #options: ThreadsOptions
  readonly #seats: readonly Seat[]
  /** Files of packages that the unit imports, so that a thread that is made ahead can have them. */
  readonly #packages = new Set<string>()

  constructor(options: ThreadsOptions) {
    this.#options = options
    const count = Math.min(options.threads, options.journals.length)
    this.#seats = Array.from({ length: count }, (_, thread) => this.#newSeat(thread, count))
    this.channels = options.journals.map((_, partition) => ({
      partition,
      sharesFate: false,
      answersLate: true,
      send: (request) => this.#seatOf(partition).send(partition, request),
    }))
  }

  /** Loads a unit and begins. Throws what stands in its way; UNIT_MISMATCH if the file has another unit than `hash`. */
  async start(module: string, hash: string): Promise<void> {
    const prepared = await this.#prepareAll(module, (loaded) => checkHash(module, hash, loaded))
    try {
      await everyOne(prepared.map(({ seat, prepared: one }) => seat.begin(one)))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /**
   * Puts another unit in the place of the present one: loaded, and found to fit what the partitions hold, before
   * anything changes. `between` is told what was loaded, just before the present threads end; it may refuse by throwing.
   */
  async replace(module: string, between: (loaded: LoadedUnit) => Promise<void>): Promise<void> {
    const all = await this.#prepareAll(module, async (loaded) => {
      for (const seat of this.#seats) await seat.follow(loaded.layouts)
      await between(loaded)
    })
    await everyOne(all.map(({ seat, prepared }) => seat.replace(prepared)))
  }

  /** Ends all threads in order, each at once where that takes too long. */
  async close(): Promise<void> {
    await everyOne(this.#seats.map((seat) => seat.close()))
  }

  async #prepareAll(
    module: string,
    check: (loaded: LoadedUnit) => unknown,
  ): Promise<readonly { readonly seat: Seat; readonly prepared: Prepared }[]> {
    const tried = await Promise.allSettled(this.#seats.map((seat) => seat.prepare(module)))
    const prepared = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    try {
      for (const one of tried) if (one.status === 'rejected') throw one.reason
      const [first, ...others] = prepared
      for (const { loaded } of others) checkHash(module, first!.loaded.hash, loaded)
      await check(first!.loaded)
      return prepared.map((one, thread) => ({ seat: this.#seats[thread]!, prepared: one }))
    } catch (error) {
      await Promise.all(prepared.map(({ life }) => life.kill()))
      throw error
    }
  }

  #newSeat(thread: number, count: number): Seat {
    const { journals, limits, runtime, onEvent } = this.#options
    const partitions = journals.flatMap((_, partition) => (partition % count === thread ? [partition] : []))
    return new Seat({
      thread,
      partitions,
      limits,
      runtime,
      born: (module) => this.#born(module, thread, partitions),
      keepsSpare: this.#options.keepsSpares ?? false,
      onEvent: (event) => onEvent(undefined, event),
    })
  }

  #born(module: string, thread: number, partitions: readonly number[]): ThreadLife {
    const {
      journals,
      limits,
      development,
      runsWork,
      recordsCalls,
      newCells,
      start,
      watch,
      onEvent,
      onRecovered,
      onFile,
    } = this.#options
    const cells = newCells()
    const data: ThreadData = {
      module,
      thread,
      partitionsTotal: journals.length,
      partitions: partitions.map((number) => {
        const { id, journal, bytesMax } = journals[number]!
        return { number, journalId: id, level: journal.level, fill: journal.fill(), bytesMax }
      }),
      limits,
      development,
      tellsFiles: onFile !== undefined,
      ahead: [...this.#packages],
      runsWork,
      recordsCalls,
      cells,
    }
    return new ThreadLife({
      thread: start(data),
      limits,
      journalOf: (partition) => journals[partition]!.journal,
      watch: (functions, onStuck) => watch(cells, functions, onStuck),
      relay: (partition, request) => this.#seatOf(partition).send(partition, request),
      makeRoomForAll: async () => (await Promise.all(this.#seats.map((seat) => seat.makeRoom()))).includes(true),
      onEvent,
      onRecovered,
      onFile: (file, isPackage) => void (isPackage ? this.#packages.add(file) : onFile?.(file)),
    })
  }

  #seatOf(partition: number): Seat {
    return this.#seats[partition % this.#seats.length]!
  }
}

function checkHash(module: string, hash: string, loaded: LoadedUnit): void {
  if (loaded.hash === hash) return
  throw new PlenumError(
    'UNIT_MISMATCH',
    `The file ${module} has the unit '${loaded.name}', which declares something else than the one that was given. ` +
      'Threads load their unit from that file: give the unit that is its default export, and nothing that depends on when it is loaded.',
    { details: { module, unit: hash, found: loaded.hash } },
  )
}

/** Waits for all, also where one fails; then throws the first error, one that says most. */
async function everyOne(all: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(all)
  const errors = settled.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
  if (errors.length > 0) throw errors.find((error) => isPlenumError(error)) ?? errors[0]
}
