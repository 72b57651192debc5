// A disk whose log files are written and synced by a thread of their own, fed through shared memory: the arrangement
// that the file engine is compared with (FE5). Only what the engine's writer does at level `disk` goes that way.
import { openSync, closeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Disk, File } from '../../platform/src/runtime/index.ts'
import { NodeDisk } from '../../platform/src/runtime/node/index.ts'

export interface SharedBuffers {
  readonly words: SharedArrayBuffer
  readonly bytes: SharedArrayBuffer
}

/** Places of the shared words, and the value of `turn` while the thread has nothing to do. */
export const control = {
  turn: 0,
  done: 1,
  descriptor: 2,
  length: 3,
  atHigh: 4,
  atLow: 5,
  failed: 6,
  idle: 0,
  busy: 1,
} as const

const bufferBytes = 8 << 20

/** The thread and the memory that it shares with the loop. */
export class CommitThread {
  readonly #state = new Int32Array(new SharedArrayBuffer(64))
  readonly #data = new Uint8Array(new SharedArrayBuffer(bufferBytes))
  readonly #worker: Worker

  constructor() {
    const workerData: SharedBuffers = { words: this.#state.buffer, bytes: this.#data.buffer }
    this.#worker = new Worker(new URL('./commit-thread.ts', import.meta.url), { workerData })
  }

  /** Copies the bytes over; one write at a time. */
  load(descriptor: number, buffers: readonly Uint8Array[], at: number): void {
    let length = 0
    for (const buffer of buffers) {
      this.#data.set(buffer, length)
      length += buffer.length
    }
    this.#state[control.descriptor] = descriptor
    this.#state[control.length] = length
    this.#state[control.atHigh] = Math.floor(at / 2 ** 30)
    this.#state[control.atLow] = at % 2 ** 30
  }

  /** Has the loaded bytes written and synced. */
  async commit(): Promise<void> {
    Atomics.store(this.#state, control.done, 0)
    Atomics.store(this.#state, control.turn, control.busy)
    Atomics.notify(this.#state, control.turn)
    const waiting = Atomics.waitAsync(this.#state, control.done, 0)
    if (waiting.async) await waiting.value
    if (this.#state[control.failed] === 1) throw new Error('The thread could not write.')
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** The disk of this machine, but small writes to log files wait for `sync`, which a thread does in one trip. */
export function threadDisk(thread: CommitThread): Disk {
  const disk = new NodeDisk()
  return {
    makeFolder: (path) => disk.makeFolder(path),
    list: (path) => disk.list(path),
    readFile: (path) => disk.readFile(path),
    replaceFile: (path, content) => disk.replaceFile(path, content),
    remove: (path) => disk.remove(path),
    syncFolder: (path) => disk.syncFolder(path),
    lock: (path) => disk.lock(path),
    open: async (path) => threadFile(await disk.open(path), path, thread),
  }
}

function threadFile(file: File, path: string, thread: CommitThread): File {
  const descriptor = openSync(path, 'r+')
  let loaded = false
  // Zeros of a segment that is being made come in pieces of 1 MB and are no commits.
  const isCommit = (buffers: readonly Uint8Array[]): boolean => buffers.some((buffer) => buffer[0] !== 0)
  return {
    async write(buffers, at) {
      if (!isCommit(buffers)) return file.write(buffers, at)
      thread.load(descriptor, buffers, at)
      loaded = true
    },
    async sync() {
      if (!loaded) return file.sync()
      loaded = false
      await thread.commit()
    },
    writeNow: (buffers, at) => file.writeNow(buffers, at),
    syncNow: () => file.syncNow(),
    read: (at, length) => file.read(at, length),
    size: () => file.size(),
    truncate: (size) => file.truncate(size),
    async close() {
      closeSync(descriptor)
      await file.close()
    },
  }
}
