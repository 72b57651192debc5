import { isPlenumError, PlenumError } from '../../kernel/index.ts'
import type { Random } from '../../runtime/index.ts'
import type { Stamp } from '../../space/index.ts'
import type { RecordedClient } from '../checkers/history.ts'
import { hotNumber, pickWeighted } from './choices.ts'

/** What a client asks of its registers; values are unique, so that each read tells which write it saw. */
export type RegisterStep =
  | { readonly f: 'read' | 'delete'; readonly key: string }
  | { readonly f: 'write' | 'insert' | 'update' | 'cas'; readonly key: string; readonly value: number }

/** What a write tells: its version, and the stamp for a condition. */
export interface RegisterWritten {
  readonly version: number
  readonly stamp: Stamp
}

/** Registers as entries of one type with the fields `id` and `value`; what a composition has to provide. */
export interface RegisterCalls {
  /** The value, undefined if there is none. */
  get(key: string): Promise<number | undefined>
  write(key: string, value: number): Promise<RegisterWritten>
  insert(key: string, value: number): Promise<unknown>
  /** Changes the value of an entry that is there, under the stamp if one is given. */
  patch(key: string, value: number, ifStamp: Stamp | undefined): Promise<RegisterWritten>
  remove(key: string): Promise<boolean>
}

const weights = { read: 6, write: 4, insert: 1, update: 2, cas: 3, delete: 1 } as const

/** Draws steps for registers of which the first are used most. */
export class RegisterSteps {
  readonly #random: Random
  readonly #keys: number
  #values = 0

  constructor(random: Random, keys: number) {
    this.#random = random
    this.#keys = keys
  }

  next(): RegisterStep {
    const key = `register-${hotNumber(this.#random, this.#keys, 2)}`
    const f = pickWeighted(this.#random, weights)
    return f === 'read' || f === 'delete' ? { f, key } : { f, key, value: ++this.#values }
  }
}

/** One client that runs steps one at a time and records them; it conditions on what it wrote last. */
export class RegisterClient {
  readonly #calls: RegisterCalls
  readonly #client: RecordedClient
  readonly #written = new Map<string, { readonly value: number; readonly stamp: Stamp }>()

  constructor(calls: RegisterCalls, client: RecordedClient) {
    this.#calls = calls
    this.#client = client
  }

  /** Runs a step to its end; errors of the platform are recorded and not passed on. */
  async run(step: RegisterStep): Promise<void> {
    try {
      await this.#run(step)
    } catch (error) {
      if (!isPlenumError(error)) throw error
    }
  }

  #run(step: RegisterStep): Promise<unknown> {
    const { f, key } = step
    const calls = this.#calls
    switch (f) {
      case 'read':
        return this.#client.run(
          { f, key },
          () => calls.get(key),
          (value) => ({ value: value ?? null }),
        )
      case 'delete':
        return this.#client.run({ f, key }, () => calls.remove(key))
      case 'insert':
        return this.#client.run(
          { f, key, value: step.value },
          () => calls.insert(key, step.value),
          () => step,
        )
      case 'cas':
        return this.#compareAndSet(key, step.value)
      default:
        return this.#put(f, key, step.value)
    }
  }

  async #put(f: 'write' | 'update', key: string, value: number): Promise<void> {
    const call = () => (f === 'write' ? this.#calls.write(key, value) : this.#calls.patch(key, value, undefined))
    const { stamp } = await this.#client.run({ f, key, value }, call, ({ version }) => ({ value, version }))
    this.#written.set(key, { value, stamp })
  }

  /** As values are unique, the stamp of a write is there exactly as long as its value is. */
  async #compareAndSet(key: string, value: number): Promise<void> {
    const known = this.#written.get(key)
    if (known === undefined) return this.#put('update', key, value)
    const { stamp } = await this.#client.run(
      { f: 'cas', key, value: [known.value, value] },
      () => this.#calls.patch(key, value, known.stamp).catch(asMismatch),
      ({ version }) => ({ value: [known.value, value], version }),
    )
    this.#written.set(key, { value, stamp })
  }
}

/** A condition that did not hold, under the name that histories give it. */
function asMismatch(error: unknown): never {
  if (!isPlenumError(error, 'STAMP_CONFLICT') && !isPlenumError(error, 'ENTRY_MISSING')) throw error
  throw new PlenumError('REFUSED', error.message, { cause: error, details: { reason: 'MISMATCH' } })
}
