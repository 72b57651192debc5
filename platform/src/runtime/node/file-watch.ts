import { createHash } from 'node:crypto'
import { readFileSync, watch, type FSWatcher } from 'node:fs'
import { dirname, join } from 'node:path'

/** Milliseconds of quiet after a change before it is told: an editor writes a file in several steps. */
const quietMs = 30

/** Milliseconds between two looks at the files where their folders cannot be watched. */
const pollEveryMs = 500

/** Tells when the content of a file changes, is there for the first time, or is gone. */
export class FileWatch {
  readonly #onChange: (files: readonly string[]) => void
  readonly #folders = new Map<string, FSWatcher>()
  /** What each file held when it was last looked at. */
  #contents = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #poll: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(onChange: (files: readonly string[]) => void) {
    this.#onChange = onChange
  }

  /** The files that are watched from now on, by path; what they hold now is no change. */
  watch(files: readonly string[]): void {
    if (this.#isClosed) return
    const before = this.#contents
    this.#contents = new Map(files.map((file) => [file, before.get(file) ?? contentOf(file)]))
    const folders = new Set(files.map((file) => dirname(file)))
    for (const [folder, watcher] of this.#folders) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#folders.delete(folder)
    }
    for (const folder of folders) if (!this.#folders.has(folder)) this.#watchFolder(folder)
    // A file that changed while it was loaded was read before it was watched.
    this.#lookSoon()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearInterval(this.#poll)
    for (const watcher of this.#folders.values()) watcher.close()
    this.#folders.clear()
  }

  /** Folders are watched, not files: an editor that puts a new file in the place of the old one leaves a watch of it blind. */
  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, (_, name) => {
        if (name === null || this.#contents.has(join(folder, name))) this.#lookSoon()
      })
      watcher.on('error', () => this.#lookNowAndThen())
      this.#folders.set(folder, watcher)
    } catch {
      this.#lookNowAndThen()
    }
  }

  /** A folder is gone, or the system watches no more of them. */
  #lookNowAndThen(): void {
    this.#poll ??= setInterval(() => this.#look(), pollEveryMs)
  }

  #lookSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), quietMs)
  }

  #look(): void {
    const changed: string[] = []
    for (const [file, content] of this.#contents) {
      const now = contentOf(file)
      if (now === content) continue
      this.#contents.set(file, now)
      changed.push(file)
    }
    if (changed.length > 0 && !this.#isClosed) this.#onChange(changed)
  }
}

/** The hash of a file's content; empty if it is not there. */
function contentOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('base64')
  } catch {
    return ''
  }
}
