// What a projection puts out at all partitions, as one stream (UN6).
//
// I1 The outputs of a partition come in its order, each once; partitions are not ordered against each other.
// I2 A partition is asked again when its answer has been consumed, so that whoever is slow fills nothing.
// I3 Every token names a place for each partition, so that a reader can go on from any of them.
import { PlenumError } from '../kernel/index.ts'
import type { Command, EmittedOutput, OutputPlace, OutputsTold, Token, Wait } from '../space/index.ts'
import { opaqueText, readOpaque } from './cursor.ts'
import type { Sender } from './sender.ts'

/** An output, and the partition that it is from. */
export interface PartitionOutput extends EmittedOutput {
  readonly partition: number
}

/** What a reader of outputs is told; `reset`: some that it has not read are gone. */
export type OutputEvent =
  | { readonly kind: 'reset'; readonly partition: number }
  | { readonly kind: 'outputs'; readonly outputs: readonly PartitionOutput[]; readonly token: Token }
  | { readonly kind: 'ready'; readonly token: Token }

export interface OutputOptions {
  readonly since?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds that a partition is asked to wait for an output; then it is asked again. */
const waitMs = 20_000

/** Follows what a projection puts out, from now or from a token on. */
export class Outputs {
  readonly #router: Sender
  readonly #projection: string
  readonly #options: OutputOptions
  #places: (OutputPlace | undefined)[] = []
  readonly #heard: { readonly partition: number; readonly told: OutputsTold }[] = []
  readonly #open = new Map<number, Wait>()
  #failure: Error | undefined
  #wake: (() => void) | undefined
  #over = false

  constructor(router: Sender, projection: string, options: OutputOptions) {
    this.#router = router
    this.#projection = projection
    this.#options = options
  }

  async *events(): AsyncGenerator<OutputEvent> {
    const { since, signal } = this.#options
    const onAbort = (): void => {
      this.#over = true
      this.#wake?.()
    }
    if (signal?.aborted === true) return
    signal?.addEventListener('abort', onAbort)
    try {
      this.#places =
        since === undefined ? Array.from({ length: this.#router.partitions }, () => undefined) : this.#placesIn(since)
      const noWait = this.#router.newWait(0)
      const all = await Promise.all(this.#places.map((place, partition) => this.#send(partition, place, noWait)))
      for (const [partition, told] of all.entries()) yield* this.#tell(partition, told)
      yield { kind: 'ready', token: this.#token() }
      for (const partition of this.#places.keys()) this.#ask(partition)
      while (!this.#over) {
        const heard = this.#heard.shift()
        if (heard === undefined) await this.#hear()
        else {
          yield* this.#tell(heard.partition, heard.told)
          this.#ask(heard.partition)
        }
      }
    } finally {
      this.#over = true
      signal?.removeEventListener('abort', onAbort)
      for (const [partition, wait] of this.#open) void this.#router.cancel(partition, wait)
    }
  }

  *#tell(partition: number, told: OutputsTold): Generator<OutputEvent> {
    this.#places[partition] = told.place
    if (told.kind === 'gone') yield { kind: 'reset', partition }
    else if (told.outputs.length > 0) {
      const outputs = told.outputs.map((output) => Object.freeze({ partition, ...output }))
      yield { kind: 'outputs', outputs, token: this.#token() }
    }
  }

  /** Waits until something was heard, or the reading is over. */
  async #hear(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  #ask(partition: number): void {
    const wait = this.#router.newWait(waitMs)
    this.#open.set(partition, wait)
    this.#send(partition, this.#places[partition], wait).then(
      (told) => {
        this.#open.delete(partition)
        this.#heard.push({ partition, told })
        this.#wake?.()
      },
      (error: unknown) => {
        this.#open.delete(partition)
        this.#failure ??= error instanceof Error ? error : new Error(String(error))
        this.#wake?.()
      },
    )
  }

  async #send(partition: number, since: OutputPlace | undefined, wait: Wait): Promise<OutputsTold> {
    const command: Command = { kind: 'outputs', projection: this.#projection, since, wait }
    return (await this.#router.send(partition, command)) as OutputsTold
  }

  get #asked(): { readonly type: string; readonly where: {} } {
    return { type: `projection ${this.#projection}`, where: {} }
  }

  #token(): Token {
    return opaqueText(this.#places, this.#asked) as Token
  }

  #placesIn(token: string): OutputPlace[] {
    const places = readOpaque(token, this.#asked, 'since') as OutputPlace[]
    if (places.length === this.#router.partitions) return [...places]
    throw new PlenumError(
      'QUERY_INVALID',
      `This token is of ${places.length} partitions; there are ${this.#router.partitions}.`,
      { details: { path: 'since' } },
    )
  }
}
