// The disk of one simulated machine. It outlives the processes that use it; each gets a `Disk` of its own by `mount`.
//
// Owns the files, who holds which folder, and the operations under way. Does not own time or the plan of faults: the
// world does. Called by whoever composes a simulated member.
//
// I1 A kill keeps what was written; of each operation under way all, a part or nothing has happened.
// I2 A power cut keeps what was synced, and of the rest whatever the seed says.
// I3 After a failed sync, what it was to write is never written by a later one.
import { PlenumError } from '../../kernel/index.ts'
import type { Disk, Timer } from '../ports.ts'
import { drawMs } from './fault-plan.ts'
import type { FileContent } from './file-content.ts'
import { FileNames } from './file-names.ts'
import { MountedDisk } from './mounted-disk.ts'
import type { Process } from './process.ts'
import type { SeededRandom } from './random.ts'
import { systemError } from './system-error.ts'
import type { World } from './world.ts'

/** Something that a process asked of the disk and that has not happened yet. */
export interface Operation<T> {
  readonly what: string
  /** What is written, for the trace; as it is when that happens. */
  readonly bytes?: () => Uint8Array
  /** Makes it happen; throws what the process gets. */
  readonly run: () => T
  /** What may have happened of it when the process dies meanwhile; all or nothing if left out. */
  readonly runPartly?: () => void
}

interface UnderWay {
  readonly process: Process
  readonly timer: Timer
  readonly operation: Operation<unknown>
}

/** Ends the process at an operation to come. */
interface Fuse {
  operationsLeft: number
  readonly how: 'kill' | 'power cut'
}

export class SimulatedDisk {
  readonly name: string
  readonly names = new FileNames()
  readonly random: SeededRandom
  readonly #world: World
  readonly #mounted = new Set<Process>()
  readonly #held = new Map<string, Process>()
  readonly #underWay = new Set<UnderWay>()
  #capacityBytes = Infinity
  #fuse: Fuse | undefined
  #failing: { write: number; sync: number } = { write: 0, sync: 0 }

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.random = world.random.fork(`disk ${name}`)
  }

  /** The disk as one process sees it, as long as that lives. */
  mount(process: Process): Disk {
    if (!this.#mounted.has(process)) {
      this.#mounted.add(process)
      process.onEnd(() => this.#end(process))
    }
    return new MountedDisk(this, process)
  }

  /** Bytes that all files together may have from now on; what is there already stays. */
  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes
  }

  /** Bytes that all files together have. */
  get usedBytes(): number {
    return this.names.all().reduce((sum, [, content]) => sum + content.size, 0)
  }

  /** Makes the next `times` operations of this kind fail. */
  failNext(kind: 'write' | 'sync', times = 1): void {
    this.#failing[kind] = times
  }

  /** Ends the process that asks for the operation after the next `operations` ones, in the midst of that operation. */
  endAfter(operations: number, how: Fuse['how']): void {
    this.#fuse = { operationsLeft: operations, how }
  }

  /** The power of the machine goes: its processes are dead, and what was not synced is kept, lost or torn. */
  cutPower(): void {
    for (const process of this.#mounted) process.kill()
    const files = new Set(this.names.all().map(([, content]) => content))
    this.names.cutPower(this.random)
    for (const [, content] of this.names.all()) files.add(content)
    for (const content of files) content.cutPower(this.random)
    this.#world.counts.add('power cut')
    this.#world.trace.note(this.#world.now, `disk ${this.name} power cut`)
  }

  /** Changes one bit of a file, a random one if no place is given, and says which byte; undefined if it has none. */
  flipBit(path: string, at?: number): number | undefined {
    const content = this.names.find(path)
    if (content === undefined || content.size === 0) return undefined
    const place = at ?? this.random.integer(content.size)
    content.flip(place, this.random.integer(8))
    this.#world.counts.add('flipped bit')
    return place
  }

  /** Does something on behalf of a process after the disk's delay. Never settles if the process ends before. */
  perform<T>(process: Process, operation: Operation<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!process.alive || this.#blows(process, operation)) return
      const answer = (run: () => void): void => void this.#world.schedule(0, run, process)
      const happen = (): void => {
        this.#underWay.delete(entry)
        try {
          const value = this.#run(operation)
          answer(() => resolve(value))
        } catch (error) {
          answer(() => reject(error instanceof Error ? error : new Error(String(error))))
        }
      }
      const delayMs = process.now - this.#world.now + drawMs(this.random, this.#world.faults.disk.delayMs)
      const entry: UnderWay = { process, operation, timer: this.#world.schedule(delayMs, happen) }
      this.#underWay.add(entry)
    })
  }

  /** Does something at once, and holds the process up for as long as it takes. */
  performNow<T>(process: Process, operation: Operation<T>): T {
    // Nobody hears the answer of a dead process's call; what comes after it must not be taken for success.
    if (!process.alive || this.#blows(process, operation)) throw systemError('EIO', 'the process has ended')
    process.busy(drawMs(this.random, this.#world.faults.disk.delayMs))
    return this.#run(operation)
  }

  /** Writes what there is room for; ENOSPC if that is not all, EIO as the plan or a test says. */
  write(path: string, content: FileContent, at: number, bytes: Uint8Array): void {
    if (this.#fails('write', this.#world.faults.disk.writeFailureRate)) {
      content.write(at, bytes.subarray(0, this.random.integer(bytes.length + 1)))
      throw systemError('EIO', path)
    }
    const room = this.#room() + Math.max(0, content.size - at)
    content.write(at, bytes.subarray(0, room))
    if (room >= bytes.length) return
    this.#world.counts.add('disk full')
    throw systemError('ENOSPC', path)
  }

  /** Makes changes up to the mark durable; EIO as the plan or a test says, and then they are lost for good. */
  sync(path: string, content: FileContent, mark: number): void {
    if (!this.#fails('sync', this.#world.faults.disk.syncFailureRate)) return content.sync(mark)
    content.failSync(this.random, mark)
    throw systemError('EIO', path)
  }

  /** FOLDER_IN_USE if a living process holds the folder. */
  hold(folder: string, process: Process): void {
    if (!this.names.hasFolder(folder)) {
      throw new PlenumError('JOURNAL_FAILED', `The folder ${folder} cannot be locked: it does not exist.`)
    }
    if (this.#held.get(folder)?.alive === true) {
      throw new PlenumError('FOLDER_IN_USE', `The folder ${folder} is held by another running application.`, {
        details: { folder },
      })
    }
    this.#held.set(folder, process)
  }

  /** Gives a folder back. */
  release(folder: string): void {
    this.#held.delete(folder)
  }

  #room(): number {
    return this.#capacityBytes === Infinity ? Infinity : Math.max(0, this.#capacityBytes - this.usedBytes)
  }

  #run<T>(operation: Operation<T>): T {
    this.#world.trace.note(this.#world.now, `disk ${this.name} ${operation.what}`, operation.bytes?.())
    return operation.run()
  }

  #fails(kind: 'write' | 'sync', rate: number): boolean {
    const forced = this.#failing[kind] > 0
    if (forced) this.#failing[kind] -= 1
    if (!forced && !this.random.chance(rate)) return false
    this.#world.counts.add(`failed ${kind}`)
    return true
  }

  /** True if the process ended in the midst of the operation. */
  #blows(process: Process, operation: Operation<unknown>): boolean {
    const fuse = this.#fuse
    if (fuse === undefined || fuse.operationsLeft-- > 0) return false
    this.#fuse = undefined
    this.#leave(operation)
    process.kill()
    if (fuse.how === 'power cut') this.cutPower()
    return true
  }

  /** A process has ended: its folders are free, and of what it had asked for anything may have happened. */
  #end(process: Process): void {
    this.#mounted.delete(process)
    for (const [folder, holder] of this.#held) if (holder === process) this.#held.delete(folder)
    for (const entry of this.#underWay) {
      if (entry.process !== process) continue
      entry.timer.stop()
      this.#underWay.delete(entry)
      this.#leave(entry.operation)
    }
  }

  /** All, a part or nothing of an operation happens, and nobody is told. */
  #leave(operation: Operation<unknown>): void {
    const run = [operation.run, operation.runPartly ?? operation.run, undefined][this.random.integer(3)]
    try {
      run?.()
    } catch {
      // A full or failing disk is nobody's business any more.
    }
  }
}
