import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeDisk, nodeRuntime } from '../../../runtime/node/index.ts'
import { createLog, openLog, type FileLog, type FileLogOptions } from '../file-log.ts'
import type { LogEvent } from '../recover-log.ts'

/** A record for tests: 8 bytes of its own and a body of its journal and position, of the kind BATCH. */
export function testRecord(journal: number, position: number, bodyBytes = 40): Uint8Array {
  const bytes = Buffer.alloc(8 + bodyBytes, (journal * 31 + position * 7) & 0xff)
  bytes.writeUInt32LE(position, 0)
  bytes[4] = journal
  bytes[5] = 1
  return bytes
}

/** A folder for a log that two journals share unless said otherwise, opened as often as a test likes. */
export class LogBench implements AsyncDisposable {
  readonly folder: string
  readonly options: FileLogOptions
  events: LogEvent[] = []
  #open: FileLog[] = []

  private constructor(folder: string, options: FileLogOptions) {
    this.folder = folder
    this.options = { ...options, onEvent: (event) => this.events.push(event) }
  }

  /** A new and empty log. Marks are written at close only, unless `markMs` says otherwise. */
  static async make(options: Partial<FileLogOptions> = {}): Promise<LogBench> {
    const folder = await mkdtemp(join(tmpdir(), 'plenum-log-'))
    const { clock, timers } = nodeRuntime()
    const base = { disk: new NodeDisk(), folder, grid: Buffer.alloc(16, 9), journals: 2, clock, timers }
    const small = { segmentBytesMin: 8 << 10, segmentBytesMax: 8 << 10, markMs: 1e9 }
    const bench = new LogBench(folder, { level: 'disk', ...base, ...small, ...options })
    await createLog(bench.options)
    return bench
  }

  async open(options: Partial<FileLogOptions> = {}): Promise<FileLog> {
    this.events = []
    const log = await openLog({ ...this.options, ...options })
    this.#open.push(log)
    return log
  }

  /** Appends records one at a time, so that each has a group of its own, to the journals in turn. */
  async append(log: FileLog, count: number, bodyBytes = 40): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      const nexts = Array.from({ length: this.options.journals }, (_, journal) => log.tail(journal).next)
      const position = Math.min(...nexts)
      const journal = nexts.indexOf(position)
      const outcome = await log.append(journal, position, testRecord(journal, position, bodyBytes))
      if (outcome.kind !== 'acked') throw new Error(`append was ${outcome.kind}`)
    }
  }

  /** The files as they are now: what a process killed at this moment leaves. */
  async files(): Promise<ReadonlyMap<string, Buffer>> {
    const files = new Map<string, Buffer>()
    for (const name of await readdir(this.folder)) files.set(name, await readFile(join(this.folder, name)))
    return files
  }

  /** Puts the files there as they were, or as a test made them. */
  async restore(files: ReadonlyMap<string, Buffer>): Promise<void> {
    for (const name of await readdir(this.folder)) if (!files.has(name)) await rm(join(this.folder, name))
    for (const [name, bytes] of files) await writeFile(join(this.folder, name), bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const log of this.#open) await log.close().catch(() => {})
    await rm(this.folder, { recursive: true })
  }
}

/** Positions and bytes of everything that a journal holds. */
export async function contents(log: FileLog, journal: number): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = []
  for await (const { bytes } of log.read(journal, log.tail(journal).first)) found.push(bytes)
  return found
}
