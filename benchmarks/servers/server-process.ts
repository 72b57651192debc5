import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Milliseconds in which a server must answer after its start, and in which it must end after it was told to. */
const startMsMax = 60_000
const stopMsMax = 20_000
/** Milliseconds between two questions whether the server answers yet. */
const askEveryMs = 20
/** Characters of what the server said last that a failure shows. */
const saidCharactersMax = 2_000

/** Another user of this machine, by number. */
export interface User {
  readonly uid: number
  readonly gid: number
}

export interface ServerOptions {
  readonly name: string
  readonly program: string
  readonly arguments: readonly string[]
  /** Where the server runs: its own folder. */
  readonly folder: string
  readonly user?: User | undefined
  /** What is set beside the environment of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** Ends the server in an orderly way, without waiting for its clients. */
  readonly stopSignal: NodeJS.Signals
  /** Ends it where nobody can wait any more, its own children too. */
  readonly abortSignal: NodeJS.Signals
  /** True as soon as the server answers. */
  readonly answers: () => Promise<boolean>
}

/** A server that a benchmark started and ends, by its process id. */
export class ServerProcess implements AsyncDisposable {
  readonly #options: ServerOptions
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #abort: () => void
  #said = ''

  /** Starts the program; `answering` tells when it can be asked. */
  constructor(options: ServerOptions) {
    const { program, folder, user, environment } = options
    this.#options = options
    const env = { ...process.env, ...environment }
    this.#child = spawn(program, options.arguments, { ...user, cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', resolve)
      // A program that cannot be started has no exit, only an error.
      this.#child.once('error', (error) => {
        this.#hear(error.message)
        resolve(undefined)
      })
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (said) => this.#hear(String(said)))
    this.#abort = () => void this.#child.kill(options.abortSignal)
    process.once('exit', this.#abort)
    void this.#ended.then(() => process.off('exit', this.#abort))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Waits until the server answers. Rejects with what it said if it ends before, or is not there within a minute. */
  async answering(): Promise<void> {
    const until = performance.now() + startMsMax
    while (!(await this.#options.answers())) {
      if (this.#isOver()) throw new Error(`${this.#options.name} did not start. It said:\n${this.#said.trim()}`)
      if (performance.now() > until) {
        throw new Error(`${this.#options.name} did not answer within ${startMsMax / 1_000} s:\n${this.#said.trim()}`)
      }
      await new Promise((resolve) => setTimeout(resolve, askEveryMs))
    }
  }

  /** Ends the server and waits until it is gone; a second time does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver()) return
    this.#child.kill(this.#options.stopSignal)
    const late = setTimeout(() => this.#child.kill('SIGKILL'), stopMsMax)
    await this.#ended
    clearTimeout(late)
  }

  #isOver(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  #hear(said: string): void {
    this.#said = (this.#said + said).slice(-saidCharactersMax)
  }
}

/** A port of the loopback address at which nobody listens. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  return address.port
}

/** The user for a server that refuses to run as root; undefined where this process is not root. */
export function userBesideRoot(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // The next name.
    }
  }
  throw new Error('PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`.')
}
