import { closedLoop, type Reading } from '../harness/closed-loop.ts'
import type { Subject } from '../harness/remote.ts'

/** Something that runs workflows whose steps are each kept before the next one begins. */
export interface WorkflowStore {
  /** Its version, and the settings that matter. */
  readonly about: string
  /** Starts an instance of that name with so many steps; resolves with its result when that is safe. */
  run(id: string, steps: number, seed: number): Promise<number>
  close(): Promise<void>
}

/** Instances of the piece of work that all subjects do, and how many at the same time. */
const proofInstances = 100
const proofInFlight = 10

/** What a step makes of what the one before has made. */
export function stepOf(value: number): number {
  return (Math.imul(value, 0x9e3779b1) + 1) >>> 0
}

/** The same workflows for every store: a chain of steps, each of which needs the result of the one before. */
export class WorkflowBench implements Subject {
  readonly #store: WorkflowStore
  #next = 0

  constructor(store: WorkflowStore) {
    this.#store = store
  }

  async about(): Promise<string> {
    return this.#store.about
  }

  /** Runs the first instances and returns a hash of their results. */
  async proof(): Promise<string> {
    let hash = 0
    let next = 0
    const caller = async (): Promise<void> => {
      while (next < proofInstances) {
        const seed = next++
        const result = await this.#store.run(`proof ${seed}`, 3, seed)
        hash = (hash + result) >>> 0
      }
    }
    await Promise.all(Array.from({ length: proofInFlight }, caller))
    return hash.toString(16).padStart(8, '0')
  }

  /** How many instances of so many steps come to their end in a second, with so many at the same time. */
  instances(steps: number, inFlight: number, seconds: number): Promise<Reading> {
    return closedLoop(inFlight, seconds, () => {
      const number = this.#next++
      return this.#store.run(`instance ${number}`, steps, number)
    })
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
