// The thread's side: answers what it is asked from the partitions that it runs, and asks the other threads for theirs.
//
// Owns the way to every partition of the application, as this thread sees it. Does not own the partitions: the
// composition of the thread gives them. Called by that composition.
//
// I1 What runs for a request of the line is known to whoever watches this thread, by the number of its call (PA9).
// I2 Where another thread takes over, nobody hears that the application closes: it is to ask again.
import { isPlenumError, PlenumError } from '../kernel/index.ts'
import { isRead, type Command, type Layout, type Request } from '../space/index.ts'
import type { Partition } from '../partition/index.ts'
import type { PartitionChannel } from '../router/index.ts'
import { answerOf, sentAnswer, type SentAnswer } from './answer-of.ts'
import type { Line, Served } from './line.ts'
import { RoomAsked } from './room-asked.ts'
import type { LoadedFiles, LoadedUnit, OwnerSubjects, PartitionRequest, ThreadSubjects } from './thread-subjects.ts'

export interface ThreadHostOptions {
  readonly line: Line<OwnerSubjects, ThreadSubjects>
  readonly partitionsTotal: number
  /** Told of the call that is run for from now on; 0 for none. */
  readonly runFor: (call: number) => void
  readonly soon: (run: () => void) => void
  /** Loads the unit, once. */
  readonly load: (files: LoadedFiles) => Promise<LoadedUnit>
  /** Makes the partitions of the unit that was loaded. */
  readonly open: () => ReadonlyMap<number, Partition>
  /** Asks how full the journals of this thread's partitions are: others fill them too, and make room. */
  readonly refresh: () => Promise<unknown>
  /** How full the fullest of them is, as far as is known. */
  readonly fill: () => number
  /** Lets go of what else the thread has, before its partitions close. */
  readonly onClosing: () => void
}

export class ThreadHost {
  readonly #options: ThreadHostOptions
  #partitions: ReadonlyMap<number, Partition> = new Map()
  readonly #room: RoomAsked
  #isReplaced = false

  constructor(options: ThreadHostOptions) {
    this.#options = options
    this.#room = new RoomAsked(() => this.#askAllForRoom(), options.soon)
  }

  /** Answers from now on. */
  serve(): void {
    const served: Served<ThreadSubjects> = {
      load: (files) => this.#options.load(files),
      follow: (layouts) => this.#follow(layouts),
      start: () => this.#start(),
      request: (body, call) => this.#request(body, call),
      makeRoom: () => this.#makeRoom(),
      close: ({ isReplaced }) => this.#close(isReplaced),
    }
    this.#options.line.serve(served)
  }

  /** The ways to all partitions, for what the unit does beside its data. */
  get channels(): readonly PartitionChannel[] {
    const { partitionsTotal } = this.#options
    return Array.from({ length: partitionsTotal }, (_, partition) => {
      const own = this.#partitions.get(partition)
      if (own !== undefined) return { partition, sharesFate: true, send: (request) => own.submit(request) }
      return { partition, sharesFate: false, answersLate: true, send: (request) => this.#elsewhere(partition, request) }
    })
  }

  /** Asks a partition of the application about a transaction, or to take a message. */
  readonly ask = (partition: number, command: Command): Promise<unknown> =>
    this.#partitions.get(partition)?.submit({ command }) ?? this.#elsewhere(partition, { command })

  /** Has all partitions of the application make room; undefined where that was tried, and there was nothing to do. */
  readonly makeRoomForAll = (): Promise<unknown> | undefined => this.#room.ask()

  async #elsewhere(partition: number, request: Request): Promise<unknown> {
    return answerOf(await this.#options.line.ask('request', { partition, request }))
  }

  #follow(layouts: readonly Layout[]): void {
    for (const { replica } of this.#partitions.values()) replica?.checkFollows(layouts)
  }

  async #start(): Promise<void> {
    const { line, open } = this.#options
    this.#partitions = open()
    // None of this thread's begins what another of them cannot follow (UN10).
    const openings = await Promise.all(
      [...this.#partitions].map(async ([partition, it]) => {
        const begin = await it.recoverAlone()
        line.tell('recovered', { partition })
        return begin
      }),
    )
    await Promise.all(openings.map((begin) => begin()))
  }

  #request({ partition: number, request }: PartitionRequest, call: number): Promise<SentAnswer> {
    const partition = this.#partitions.get(number)
    if (partition === undefined)
      return Promise.reject(new PlenumError('NOT_PRIMARY', `This thread does not run partition ${number}.`))
    this.#options.runFor(call)
    const answer = partition.submit(request)
    this.#options.runFor(0)
    return answer.then(sentAnswer, (error: unknown) => {
      if (!this.#isReplaced || !isPlenumError(error)) throw error
      // A read that was not answered has done nothing.
      const isAgain = error.code === 'CLOSED' || (error.code === 'UNKNOWN_OUTCOME' && isRead(request.command))
      throw isAgain ? movedAway(error) : error
    })
  }

  async #askAllForRoom(): Promise<boolean> {
    const { line, refresh, fill } = this.#options
    const before = fill()
    const hasMade = await line.ask('makeRoomForAll', undefined)
    await refresh()
    // Others may have made room before they were asked.
    return hasMade || fill() < before
  }

  async #makeRoom(): Promise<boolean> {
    await this.#options.refresh()
    const making = [...this.#partitions.values()].flatMap((partition) => partition.makeRoom() ?? [])
    await Promise.all(making)
    return making.length > 0
  }

  async #close(isReplaced: boolean): Promise<void> {
    this.#isReplaced = isReplaced
    this.#options.onClosing()
    await Promise.all([...this.#partitions.values()].map((partition) => partition.close()))
  }
}

function movedAway(cause: PlenumError): PlenumError {
  return new PlenumError('NOT_PRIMARY', 'Another thread takes this partition over. Ask again.', { cause })
}
