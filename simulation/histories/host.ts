// A real process that runs the platform over a folder: asked over a pipe, killed, and started again.
//
// I1 A question goes to one process, once. If that process ends before its answer is here, nobody knows what came of it.
// I2 A process that ends without having been killed, or that cannot start, ends the run: it is a finding.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { PlenumError } from 'plenum'
import type { Answered, Asked, WatchAsked, WatchLine } from 'plenum/testing'
import type { FromHost, ToHost } from './host-messages.ts'
import type { Witness } from './unit.ts'
import type { Manner } from './workload.ts'

interface Open {
  /** Hears what a watch tells before it ends. */
  readonly hear?: (lines: readonly WatchLine[]) => void
  readonly resolve: (answered: Answered) => void
  readonly reject: (error: Error) => void
}

/** How the platform's process is started. */
export interface HostOptions {
  readonly workload: string
  readonly folder: string
  readonly partitions: number
  /** Records what workers say. */
  readonly work: Witness
  /** Told of each answer that came. */
  readonly onAnswer: () => void
}

/** The process is gone or does not start, and nobody killed it. */
class HostLost extends Error {}

export class Host {
  readonly #options: HostOptions
  readonly #open = new Map<number, Open>()
  #asked = 0
  #child: ChildProcess | undefined
  /** Resolves when a process serves, however many are killed before; rejects with HostLost. */
  #serving = outage()
  #isUp = false
  #ending = false

  constructor(options: HostOptions) {
    this.#options = options
  }

  /** Starts a process; resolves when it serves. */
  start(): Promise<void> {
    const { workload, folder, partitions } = this.#options
    this.#ending = false
    const child = fork(new URL('host-child.ts', import.meta.url), [workload, folder, String(partitions)], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    // What arrives after a process has ended counts no more: what it would answer is unknown by then.
    child.on('message', (message: FromHost) => hasEnded(child) || this.#hear(message))
    child.on('error', (error) => this.#serving.reject(error))
    child.on('exit', (code, signal) => {
      if (this.#isUp) this.#serving = outage()
      this.#isUp = false
      const lost = new HostLost(`The process ended by itself, with ${signal ?? `code ${code}`}.`)
      this.#loseOpen(this.#ending ? unknown() : lost)
      if (!this.#ending) this.#serving.reject(lost)
    })
    return this.#serving.promise
  }

  /** Asks; waits for a process that serves if there is none now. UNKNOWN_OUTCOME if it is killed meanwhile. */
  async ask(asked: Asked, manner: Manner): Promise<Answered> {
    while (!this.#isUp) await this.#serving.promise
    const id = this.#asked++
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      // A pipe that breaks is heard of when the process ends.
      this.#tell({ kind: 'ask', id, asked, manner })
    })
  }

  /** Watches until the signal says no more; like `ask` in everything else. */
  async follow(asked: WatchAsked, hear: (lines: readonly WatchLine[]) => void, signal: AbortSignal): Promise<void> {
    while (!this.#isUp) await this.#serving.promise
    const id = this.#asked++
    const watching = new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject, hear })
      this.#tell({ kind: 'follow', id, asked })
    })
    const leave = (): void => this.#tell({ kind: 'leave', id })
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    await watching.finally(() => signal.removeEventListener('abort', leave))
  }

  /** Kills the process as `kill -9` does and starts another; resolves when the first is gone. */
  async killAndStart(): Promise<void> {
    await this.#end((child) => void child.kill('SIGKILL'))
    void this.start()
  }

  /** Has the process close in order; resolves when it has ended. */
  async close(): Promise<void> {
    await this.#end(() => this.#tell({ kind: 'close' }))
  }

  /** Ends the process, whatever it does; resolves when it has ended. */
  async kill(): Promise<void> {
    await this.#end((child) => void child.kill('SIGKILL'))
  }

  async #end(how: (child: ChildProcess) => void): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    this.#ending = true
    const ended = once(child, 'exit')
    how(child)
    await ended
  }

  #tell(message: ToHost): void {
    this.#child?.send(message, () => undefined)
  }

  #hear(message: FromHost): void {
    switch (message.kind) {
      case 'ready':
        this.#isUp = true
        return this.#serving.resolve()
      case 'failed': {
        const { code, message: text } = message.error
        return this.#serving.reject(new HostLost(`The process does not start: ${code}: ${text}`))
      }
      case 'begin':
        return this.#witness(message.id, this.#options.work.begin(message.letter, message.group))
      case 'end':
        return this.#witness(
          message.id,
          this.#options.work.end(message.run, message.how).then(() => message.run),
        )
      case 'told':
        return this.#open.get(message.id)?.hear?.(message.lines)
      default:
        return this.#answer(message)
    }
  }

  #witness(id: number, recorded: Promise<number>): void {
    void recorded.then((run) => this.#tell({ kind: 'witnessed', id, run }))
  }

  #answer(message: Extract<FromHost, { readonly kind: 'answer' | 'error' }>): void {
    const open = this.#open.get(message.id)
    if (open === undefined) return
    this.#open.delete(message.id)
    if (message.kind === 'answer') {
      open.resolve(message.answered)
    } else {
      const { code, message: text, retry, details } = message.error
      open.reject(new PlenumError(code, text, { retry, details }))
    }
    this.#options.onAnswer()
  }

  #loseOpen(error: Error): void {
    for (const { reject } of this.#open.values()) reject(error)
    this.#open.clear()
  }
}

/** A time in which nobody serves. Whoever asks waits for its end, and hears why it does not end; nobody need ask. */
function outage(): PromiseWithResolvers<void> {
  const serving = Promise.withResolvers<void>()
  serving.promise.catch(() => undefined)
  return serving
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function unknown(): PlenumError {
  return new PlenumError('UNKNOWN_OUTCOME', 'The process was killed before the answer came. Nobody knows. Look.')
}
