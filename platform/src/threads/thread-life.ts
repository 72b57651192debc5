// One thread from its birth to its end, seen from the thread that has the journals.
//
// Owns the line to it, its requests that are open, and what it has under way at the journals. Does not own what becomes
// of its partitions afterwards. Called by `seat.ts`.
//
// I1 When it has ended, every open request hears of it: as an unknown outcome, which the router asks about again with the
//    same identity (SP12); but what was in execution when the thread was ended for not returning has not happened.
// I2 `ended` resolves when nothing of it is left: no message, no append, no snapshot that is being saved.
import { PlenumError, type Limits } from '../kernel/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Thread } from '../runtime/index.ts'
import { isRead, type Layout, type Request } from '../space/index.ts'
import { answerOf, sentAnswer } from './answer-of.ts'
import { JournalDoor } from './journal-door.ts'
import { Line } from './line.ts'
import { eventOf } from './sent-event.ts'
import { isGuilty, lostWith, poison, stuckError, type Ending, type Run } from './thread-errors.ts'
import type { LoadedFiles, LoadedUnit, OwnerSubjects, ThreadEvent, ThreadSubjects } from './thread-subjects.ts'

/** Watches what a thread runs. */
export interface Watching {
  readonly run: Run
  stop(): void
}

export interface ThreadLifeOptions {
  readonly thread: Thread
  readonly limits: Limits
  readonly journalOf: (partition: number) => Journal
  /** Begins to watch a thread that runs these functions; told of the one that does not return. */
  readonly watch: (functions: readonly string[], onStuck: (run: Run) => void) => Watching
  /** A request of this thread to a partition of another one. */
  readonly relay: (partition: number, request: Request) => Promise<unknown>
  readonly makeRoomForAll: () => Promise<boolean>
  readonly onEvent: (partition: number | undefined, event: ThreadEvent) => void
  readonly onRecovered: (partition: number) => void
  readonly onFile: (file: string, isPackage: boolean) => void
}

export class ThreadLife {
  readonly ended: Promise<Ending>
  readonly #options: ThreadLifeOptions
  readonly #line: Line<ThreadSubjects, OwnerSubjects>
  readonly #door: JournalDoor
  readonly #open = new Map<number, Request>()
  #watching: Watching | undefined
  #functions: readonly string[] = []
  #files: Record<string, LoadedFiles[string]> = {}
  #stuck: Run | undefined
  #isClosed = false

  constructor(options: ThreadLifeOptions) {
    this.#options = options
    const { thread } = options
    this.#line = new Line(thread, (isOpen) => thread.hold(isOpen))
    this.#door = new JournalDoor(options.journalOf)
    this.#line.serve({
      ...this.#door.served,
      request: async ({ partition, request }) => sentAnswer(await options.relay(partition, request)),
      makeRoomForAll: () => options.makeRoomForAll(),
      event: ({ partition, event }) => options.onEvent(partition, eventOf(event)),
      recovered: ({ partition }) => options.onRecovered(partition),
      found: ({ file, isPackage }) => options.onFile(file, isPackage),
      loaded: ({ file, ...loaded }) => void (this.#files[file] = loaded),
    })
    this.ended = this.#end()
  }

  /** The files of the application that it has loaded, as far as anybody asked for them. */
  get files(): LoadedFiles {
    return this.#files
  }

  /**
   * Loads the unit's file in the thread, and of these files what they were. UNIT_NOT_LOADED, USAGE or what declares it
   * wrong.
   */
  async load(files: LoadedFiles = {}): Promise<LoadedUnit> {
    this.#files = { ...files }
    const loaded = await this.#line.ask('load', files)
    this.#functions = loaded.functions
    return loaded
  }

  /** UNIT_MISMATCH if its partitions cannot follow such entry types. */
  follow(layouts: readonly Layout[]): Promise<void> {
    return this.#line.ask('follow', layouts)
  }

  /** Recovers its partitions, and is watched from then on. */
  async start(): Promise<void> {
    await this.#line.ask('start', undefined)
    this.#watching = this.#options.watch(this.#functions, (run) => {
      this.#stuck = run
      void this.#options.thread.end()
    })
  }

  async request(partition: number, request: Request): Promise<unknown> {
    const { attemptsMax } = this.#options.limits
    // A change is refused by its partition, which knows whether an earlier attempt was the one.
    if ((request.attempt ?? 0) >= attemptsMax && isRead(request.command)) throw poison(request.attempt ?? 0)
    let called = 0
    const onCall = (call: number): void => {
      called = call
      this.#open.set(call, request)
    }
    try {
      return answerOf(await this.#line.ask('request', { partition, request }, { onCall }))
    } finally {
      this.#open.delete(called)
    }
  }

  makeRoom(): Promise<boolean> {
    return this.#line.ask('makeRoom', undefined)
  }

  /** Ends it in order; `isReplaced`: another thread goes on with its partitions. Resolves when nothing of it is left. */
  async close(isReplaced: boolean): Promise<void> {
    this.#isClosed = true
    try {
      await this.#line.ask('close', { isReplaced })
    } finally {
      await this.kill()
    }
  }

  /** Ends it at once; resolves when nothing of it is left. */
  async kill(): Promise<void> {
    this.#isClosed = true
    await this.#options.thread.end()
    await this.ended
  }

  async #end(): Promise<Ending> {
    const error = await this.#options.thread.ended
    const ending = this.#endingOf(error)
    this.#watching?.stop()
    // What is asked from now on has not been sent.
    this.#line.end(askAgain(ending), (call) => this.#errorFor(call, ending))
    await this.#door.settled()
    return ending
  }

  #endingOf(error: Error | undefined): Ending {
    if (this.#stuck !== undefined) return { reason: 'stuck', run: this.#stuck, error: undefined }
    const run = this.#watching?.run ?? { part: undefined, call: 0 }
    return { reason: this.#isClosed ? 'closed' : 'crashed', run, error }
  }

  #errorFor(call: number, ending: Ending): PlenumError {
    const request = this.#open.get(call)
    if (request === undefined) return lostWith(ending, false)
    const guilty = isGuilty(call, request, ending.run)
    if (ending.reason === 'stuck' && guilty === 'known') return stuckError(ending.run, this.#options.limits)
    if (guilty !== undefined) return lostWith(ending, true)
    // A read that was not answered has done nothing: it is asked again without a word.
    return isRead(request.command) ? askAgain(ending) : lostWith(ending, false)
  }
}

function askAgain(ending: Ending): PlenumError {
  const { message } = lostWith(ending, false)
  return new PlenumError('NOT_PRIMARY', message)
}
