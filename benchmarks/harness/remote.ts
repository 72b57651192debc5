import { fork, type ChildProcess } from 'node:child_process'

/** What lives in a process of its own: functions that take and return plain data. */
export interface Subject {
  /** Lets go of files; the process ends afterwards. */
  close(): Promise<void>
}

/** From the parent: open the subject, or call one of its functions. */
export type ToChild =
  | { readonly kind: 'open'; readonly options: unknown }
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly given: readonly unknown[] }

/** From the child; the answer to `open` has the id 0. */
export type FromChild =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string }

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

const childFile = new URL('./subject-child.ts', import.meta.url)

/** A subject in a child process, so that the heaps of two subjects do not disturb each other. */
export class Remote<S extends Subject> implements AsyncDisposable {
  /** The subject's functions; each call travels to the child and back. */
  readonly subject: S
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #exited: Promise<void>
  #next = 1

  private constructor(name: string, flags: readonly string[]) {
    this.#child = fork(childFile, [name], { execArgv: [...flags], serialization: 'advanced' })
    this.#child.on('message', (message: FromChild) => this.#settle(message))
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#abandon(`The process of ${name} ended with ${signal ?? code}.`)
        resolve()
      })
    })
    const call = (name: string, given: readonly unknown[]): Promise<unknown> => this.#call(name, given)
    // The type of the subject is what its file exports; across the process only its names are known.
    this.subject = new Proxy({} as S, {
      get: (_, name) => (name === 'then' ? undefined : (...given: unknown[]) => call(String(name), given)),
    })
  }

  /**
   * Starts the child and opens the subject of that name in it. Rejects if that fails. `born` gets the child before it
   * is open, so that it can be ended while it opens.
   */
  static async start<S extends Subject>(
    name: string,
    options: unknown,
    flags: readonly string[],
    born: (remote: Remote<S>) => void = () => {},
  ): Promise<Remote<S>> {
    const remote = new Remote<S>(name, flags)
    born(remote)
    try {
      await remote.#send(0, { kind: 'open', options })
    } catch (error) {
      await remote.kill()
      throw error
    }
    return remote
  }

  /** Ends the child as a crash would: nothing is closed, nothing flushed. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    await this.subject.close()
    this.#child.disconnect()
    await this.#exited
  }

  #call(name: string, given: readonly unknown[]): Promise<unknown> {
    const id = this.#next++
    return this.#send(id, { kind: 'call', id, name, given })
  }

  #send(id: number, message: ToChild): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // Of a child that is gone the caller hears, not the process.
      this.#child.send(message, (error) => {
        if (error !== null && this.#waiting.delete(id)) reject(error)
      })
    })
  }

  #settle(message: FromChild): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.ok) waiting?.resolve(message.value)
    else waiting?.reject(new Error(message.error))
  }

  #abandon(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
    this.#waiting.clear()
  }
}
