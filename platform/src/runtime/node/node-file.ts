import {
  close,
  fdatasync,
  fdatasyncSync,
  fstat,
  ftruncate,
  open,
  read,
  write,
  writeSync,
  writev,
  writevSync,
} from 'node:fs'
import type { File } from '../ports.ts'

/**
 * Opens a file for reading and writing, and creates it if it is missing; or one that is there, for reading alone. Errors
 * are those of the system.
 */
export function openNodeFile(path: string, use: 'write' | 'read' = 'write'): Promise<File> {
  return new Promise((resolve, reject) => {
    // 0o102 is O_RDWR | O_CREAT; no flag string says "create, do not truncate, write anywhere".
    open(path, use === 'read' ? 'r' : 0o102, 0o644, (error, descriptor) => {
      if (error) reject(error)
      else resolve(new NodeFile(descriptor))
    })
  })
}

/** A file of the machine. Short writes are continued, so that a resolved write is a whole one. */
class NodeFile implements File {
  readonly #descriptor: number
  #closing: Promise<void> | undefined

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  write(buffers: readonly Uint8Array[], at: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (rest: readonly Uint8Array[], from: number): void => {
        const done = (error: Error | null, written: number): void => {
          if (error) return reject(error)
          const left = after(rest, written)
          if (left.length === 0) return resolve()
          next(left, from + written)
        }
        const [only] = rest
        if (only === undefined) resolve()
        else if (rest.length === 1) write(this.#descriptor, only, 0, only.length, from, done)
        else writev(this.#descriptor, rest, from, done)
      }
      next(buffers, at)
    })
  }

  writeNow(buffers: readonly Uint8Array[], at: number): void {
    let rest = buffers
    let from = at
    while (rest.length > 0) {
      const [only] = rest
      const written =
        rest.length === 1 && only !== undefined
          ? writeSync(this.#descriptor, only, 0, only.length, from)
          : writevSync(this.#descriptor, rest, from)
      rest = after(rest, written)
      from += written
    }
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#descriptor, (error) => (error ? reject(error) : resolve()))
    })
  }

  syncNow(): void {
    fdatasyncSync(this.#descriptor)
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const buffer = Buffer.allocUnsafeSlow(length)
      const next = (have: number): void => {
        read(this.#descriptor, buffer, have, length - have, at + have, (error, count) => {
          if (error) return reject(error)
          if (count === 0 || have + count === length) return resolve(buffer.subarray(0, have + count))
          next(have + count)
        })
      }
      if (length === 0) resolve(buffer)
      else next(0)
    })
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fstat(this.#descriptor, (error, stats) => (error ? reject(error) : resolve(stats.size)))
    })
  }

  truncate(size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      ftruncate(this.#descriptor, size, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Closes once, however often it is called: the number of a closed descriptor may soon be another file's. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve, reject) => {
      close(this.#descriptor, (error) => (error ? reject(error) : resolve()))
    })
    return this.#closing
  }
}

/** What is left of `buffers` once `written` bytes of them are on their way. */
function after(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written
  for (const [index, buffer] of buffers.entries()) {
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(index + 1)]
    skip -= buffer.length
  }
  return []
}
