import type { Disk, File, FolderLock } from '../ports.ts'
import type { Operation, SimulatedDisk } from './disk.ts'
import { FileContent } from './file-content.ts'
import { folderOf } from './file-names.ts'
import type { Process } from './process.ts'
import { systemError } from './system-error.ts'

/** A machine's disk as one of its processes sees it. Calls of a dead process never settle. */
export class MountedDisk implements Disk {
  readonly #disk: SimulatedDisk
  readonly #process: Process

  constructor(disk: SimulatedDisk, process: Process) {
    this.#disk = disk
    this.#process = process
  }

  makeFolder(path: string): Promise<void> {
    return this.#perform(`make ${path}`, () => this.#disk.names.makeFolder(path))
  }

  list(path: string): Promise<readonly string[]> {
    return this.#perform(`list ${path}`, () => this.#disk.names.list(path))
  }

  open(path: string): Promise<File> {
    return this.#perform(`open ${path}`, () => {
      const { names } = this.#disk
      let content = names.find(path)
      if (content === undefined) {
        if (!names.hasFolder(folderOf(path))) throw systemError('ENOENT', path)
        content = new FileContent()
        names.set(path, content)
      }
      return new SimulatedFile(this.#disk, this.#process, path, content)
    })
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#perform(`read ${path}`, () => {
      const content = this.#disk.names.find(path)
      return content?.read(0, content.size)
    })
  }

  replaceFile(path: string, content: Uint8Array): Promise<void> {
    const { names } = this.#disk
    const temporary = `${path}.new`
    const bytes = new Uint8Array(content)
    const write = (length: number): FileContent => {
      if (!names.hasFolder(folderOf(path))) throw systemError('ENOENT', path)
      const written = new FileContent()
      names.set(temporary, written)
      this.#disk.write(path, written, 0, bytes.subarray(0, length))
      return written
    }
    const run = (): void => {
      const written = write(bytes.length)
      this.#disk.sync(path, written, written.mark)
      names.rename(temporary, path)
      names.syncFolder(folderOf(path))
    }
    const runPartly = (): void => {
      write(this.#disk.random.integer(bytes.length + 1))
    }
    return this.#disk.perform(this.#process, { what: `replace ${path}`, bytes: () => bytes, run, runPartly })
  }

  remove(path: string): Promise<void> {
    return this.#perform(`remove ${path}`, () => {
      if (this.#disk.names.find(path) !== undefined) this.#disk.names.set(path, undefined)
    })
  }

  syncFolder(path: string): Promise<void> {
    return this.#perform(`sync ${path}`, () => {
      if (!this.#disk.names.hasFolder(path)) throw systemError('ENOENT', path)
      this.#disk.names.syncFolder(path)
    })
  }

  lock(path: string): Promise<FolderLock> {
    return this.#perform(`lock ${path}`, () => {
      this.#disk.hold(path, this.#process)
      let held = true
      return {
        release: () => {
          if (held && this.#process.alive) this.#disk.release(path)
          held = false
        },
      }
    })
  }

  #perform<T>(what: string, run: () => T): Promise<T> {
    return this.#disk.perform(this.#process, { what, run })
  }
}

/** An open file of one process. */
class SimulatedFile implements File {
  readonly #disk: SimulatedDisk
  readonly #process: Process
  readonly #path: string
  readonly #content: FileContent
  #closed = false

  constructor(disk: SimulatedDisk, process: Process, path: string, content: FileContent) {
    this.#disk = disk
    this.#process = process
    this.#path = path
    this.#content = content
  }

  write(buffers: readonly Uint8Array[], at: number): Promise<void> {
    return this.#disk.perform(this.#process, this.#writing(buffers, at))
  }

  writeNow(buffers: readonly Uint8Array[], at: number): void {
    this.#disk.performNow(this.#process, this.#writing(buffers, at))
  }

  sync(): Promise<void> {
    // What is written while the sync is under way is not part of it.
    const { mark } = this.#content
    return this.#perform('sync', () => this.#disk.sync(this.#path, this.#content, mark))
  }

  syncNow(): void {
    const run = (): void => this.#disk.sync(this.#path, this.#content, this.#content.mark)
    this.#disk.performNow(this.#process, { what: `sync ${this.#path}`, run: this.#whileOpen(run) })
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.#perform('read', () => this.#content.read(at, length))
  }

  size(): Promise<number> {
    return this.#perform('size', () => this.#content.size)
  }

  truncate(size: number): Promise<void> {
    return this.#perform('truncate', () => this.#content.truncate(size))
  }

  close(): Promise<void> {
    return this.#perform('close', () => {
      this.#closed = true
    })
  }

  #perform<T>(what: string, run: () => T): Promise<T> {
    return this.#disk.perform(this.#process, { what: `${what} ${this.#path}`, run: this.#whileOpen(run) })
  }

  /** The buffers are read when the write happens: whoever changes them before that writes something else. */
  #writing(buffers: readonly Uint8Array[], at: number): Operation<void> {
    const write = (part: Uint8Array): void => this.#disk.write(this.#path, this.#content, at, part)
    return {
      what: `write ${this.#path} at ${at}`,
      bytes: () => joined(buffers),
      run: this.#whileOpen(() => write(joined(buffers))),
      runPartly: () => {
        const bytes = joined(buffers)
        write(bytes.subarray(0, this.#disk.random.integer(bytes.length + 1)))
      },
    }
  }

  #whileOpen<T>(run: () => T): () => T {
    return () => {
      if (this.#closed) throw systemError('EBADF', this.#path)
      return run()
    }
  }
}

function joined(buffers: readonly Uint8Array[]): Uint8Array {
  const [only] = buffers
  return buffers.length === 1 && only !== undefined ? only : Buffer.concat(buffers)
}
