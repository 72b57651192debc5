import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Subjects } from '../subjects/index.ts'
import { Remote } from './remote.ts'
import type { BenchOptions } from './options.ts'

/** Flags of every measured process: five million entries need more than the default heap. */
export const childFlags = ['--max-old-space-size=8192']

/** What a suite gets: its size, subjects in processes of their own, and folders that are removed afterwards. */
export class Bench implements AsyncDisposable {
  readonly options: BenchOptions
  readonly #folders: string[] = []
  /** Ends what was started, at once; what is over already stays so. */
  readonly #ends: (() => Promise<void>)[] = []
  #ending: Promise<void> | undefined

  constructor(options: BenchOptions) {
    this.options = options
  }

  /** `full` at full size, `small` where only the way is tested. */
  sized<T>(full: T, small: T): T {
    return this.options.small ? small : full
  }

  /** Starts a subject in a process of its own. */
  start<N extends keyof Subjects>(
    name: N,
    options: Parameters<Subjects[N]>[0],
    flags: readonly string[] = [],
  ): Promise<Remote<Awaited<ReturnType<Subjects[N]>>>> {
    return Remote.start(name, options, [...childFlags, ...flags], (remote) => this.#ends.push(() => remote.kill()))
  }

  /** A new empty folder on the file system that is measured. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(this.options.folder, 'plenum-bench-'))
    this.#folders.push(folder)
    return folder
  }

  /** Ends a server with the run, however the run ends. */
  keep(server: AsyncDisposable): void {
    this.#ends.push(async () => server[Symbol.asyncDispose]())
  }

  /** Ends everything that still runs and removes the folders. */
  end(): Promise<void> {
    this.#ending ??= this.#endAll()
    return this.#ending
  }

  /** Tells whoever waits what is being done. */
  say(text: string): void {
    this.options.progress(text)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  async #endAll(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()))
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true })
  }
}
