import type { FileContent } from './file-content.ts'
import type { SeededRandom } from './random.ts'

/** Names set or removed by one act, which a crash keeps or loses as a whole. */
interface NameChange {
  readonly folder: string
  readonly names: readonly (readonly [path: string, content: FileContent | undefined])[]
}

/** Which names a disk has, as processes see them and as they would be after a power cut. */
export class FileNames {
  readonly #folders = new Set<string>(['/', '.'])
  #live = new Map<string, FileContent>()
  readonly #durable = new Map<string, FileContent>()
  #pending: NameChange[] = []

  /** Makes a folder and those above it, durably. */
  makeFolder(path: string): void {
    for (let made = path; !this.#folders.has(made); made = folderOf(made)) this.#folders.add(made)
  }

  hasFolder(path: string): boolean {
    return this.#folders.has(path)
  }

  find(path: string): FileContent | undefined {
    return this.#live.get(path)
  }

  /** Paths and contents of all files, sorted by path. */
  all(): readonly (readonly [string, FileContent])[] {
    return [...this.#live].toSorted(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Names in a folder, sorted. */
  list(folder: string): readonly string[] {
    const names: string[] = []
    for (const path of [...this.#live.keys(), ...this.#folders]) {
      if (path !== folder && folderOf(path) === folder) names.push(path.slice(path.lastIndexOf('/') + 1))
    }
    return names.toSorted()
  }

  set(path: string, content: FileContent | undefined): void {
    this.#change({ folder: folderOf(path), names: [[path, content]] })
  }

  /** Gives a file another name, and takes that away from whatever had it. */
  rename(from: string, to: string): void {
    this.#change({
      folder: folderOf(to),
      names: [
        [from, undefined],
        [to, this.#live.get(from)],
      ],
    })
  }

  /** What was done to the names of a folder survives a power cut from now on. */
  syncFolder(folder: string): void {
    for (const change of this.#pending) if (change.folder === folder) apply(this.#durable, change)
    this.#pending = this.#pending.filter((change) => change.folder !== folder)
  }

  /**
   * The power goes: of the changes that were not synced the first few are kept, in each folder. File systems do not
   * promise that order, but those in use keep a journal of names, and so give it.
   */
  cutPower(random: SeededRandom): void {
    const lostRate = random.pick([0, 0.3, 1])
    const lost = new Set<string>()
    for (const change of this.#pending) {
      if (random.chance(lostRate)) lost.add(change.folder)
      if (!lost.has(change.folder)) apply(this.#durable, change)
    }
    this.#pending = []
    this.#live = new Map(this.#durable)
  }

  #change(change: NameChange): void {
    apply(this.#live, change)
    this.#pending.push(change)
  }
}

/** The folder that a path lies in. */
export function folderOf(path: string): string {
  const at = path.lastIndexOf('/')
  if (at === -1) return '.'
  return at === 0 ? '/' : path.slice(0, at)
}

function apply(to: Map<string, FileContent>, change: NameChange): void {
  for (const [path, content] of change.names) {
    if (content === undefined) to.delete(path)
    else to.set(path, content)
  }
}
