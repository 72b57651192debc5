import { PlenumError, isPlenumError, type Limits } from '../kernel/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Command, Identity } from '../space/index.ts'
import type { PartitionChannel } from './channel.ts'

/**
 * One client's session at one partition: registers it there on first use, numbers its requests, and knows which are
 * still open, so that a request that is sent again is known to be the same (SP12).
 */
export class PartitionSession {
  readonly #channel: PartitionChannel
  readonly #runtime: Runtime
  readonly #limits: Limits
  readonly #open = new Set<number>()
  #waiting: (() => void)[] = []
  #session: string
  #next = 1
  #registered: Promise<void> | undefined

  constructor(channel: PartitionChannel, runtime: Runtime, limits: Limits) {
    this.#channel = channel
    this.#runtime = runtime
    this.#limits = limits
    this.#session = newSession(runtime)
  }

  /** Numbers a request; `done` must be called with its identity once it has been answered for good. */
  async begin(register: (command: Command) => Promise<unknown>): Promise<Identity & { readonly kind: 'numbered' }> {
    if (this.#open.size >= this.#limits.sessionRequestsMax) {
      throw new PlenumError(
        'LIMIT_EXCEEDED',
        `This client has ${this.#open.size} requests open at partition ${this.#channel.partition}, which is the limit sessionRequestsMax. Wait for answers.`,
        { details: { limit: 'sessionRequestsMax', value: this.#limits.sessionRequestsMax } },
      )
    }
    // The partition keeps so many answers only: whoever runs ahead of the oldest open request waits for it.
    while (this.#open.size > 0 && this.#next - this.#lowest() >= this.#limits.sessionRequestsMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    const number = this.#next++
    this.#open.add(number)
    try {
      this.#registered ??= register({ kind: 'register', session: this.#session }).then(() => undefined)
      await this.#registered
    } catch (error) {
      this.#registered = undefined
      this.#open.delete(number)
      throw error
    }
    return { kind: 'numbered', session: this.#session, number, lowest: this.#lowest() }
  }

  /** The oldest open request: a set keeps the order in which they were numbered. */
  #lowest(): number {
    const [lowest = this.#next] = this.#open
    return lowest
  }

  /** The same request again, with what is open now. */
  again(identity: Identity & { readonly kind: 'numbered' }): Identity & { readonly kind: 'numbered' } {
    return { ...identity, lowest: this.#lowest() }
  }

  /** Takes note of an answer; a session that ended there is replaced by a new one for what comes next. */
  done(identity: Identity & { readonly kind: 'numbered' }, error: unknown): void {
    this.#open.delete(identity.number)
    for (const resolve of this.#waiting.splice(0)) resolve()
    if (identity.session !== this.#session || !isPlenumError(error, 'SESSION_ENDED')) return
    this.#session = newSession(this.#runtime)
    this.#registered = undefined
  }
}

function newSession(runtime: Runtime): string {
  return [...runtime.random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
