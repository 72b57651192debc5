import { isPlenumError } from '../../kernel/index.ts'
import type { Random } from '../../runtime/index.ts'
import type { RecordedClient } from '../checkers/history.ts'
import { chance } from './choices.ts'

/** What a client asks of a set of values; each value is written once. */
export type SetStep = { readonly f: 'write' | 'delete'; readonly value: number } | { readonly f: 'read' }

/** A set as entries of one type that are named by their value; what a composition has to provide. */
export interface SetCalls {
  insert(value: number): Promise<unknown>
  remove(value: number): Promise<unknown>
  readAll(): Promise<readonly number[]>
}

/** Draws steps: mostly new values, now and then one is deleted, or all are read. */
export class SetSteps {
  readonly #random: Random
  #written = 0

  constructor(random: Random) {
    this.#random = random
  }

  next(): SetStep {
    if (chance(this.#random, 0.05)) return { f: 'read' }
    if (this.#written > 0 && chance(this.#random, 0.1))
      return { f: 'delete', value: this.#random.integer(this.#written) }
    return { f: 'write', value: this.#written++ }
  }
}

/** Runs one step and records it; errors of the platform are recorded and not passed on. */
export async function runSetStep(step: SetStep, calls: SetCalls, client: RecordedClient): Promise<void> {
  try {
    if (step.f === 'read') return void (await client.run(step, () => calls.readAll()))
    const { value } = step
    const call = () => (step.f === 'write' ? calls.insert(value) : calls.remove(value))
    await client.run(step, call, () => ({ value }))
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}
