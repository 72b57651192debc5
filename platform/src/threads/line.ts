// One end of the line between two threads of a process: questions and their answers, and what is only told.
//
// Owns what is asked and not answered, and what waits to be sent: what one tick says goes together. Does not own what is
// asked for. Called by both sides of a thread.
//
// I1 What is said arrives in its order, once. What cannot be sent fails alone, and nothing that was said with it.
// I2 When the other side has ended, whoever waits for an answer hears of it.
import { PlenumError } from '../kernel/index.ts'
import type { ThreadPort } from '../runtime/index.ts'
import { errorOf, sentError, type SentError } from './sent-error.ts'

/** What one side may ask of the other, by name. */
export type Subjects = Readonly<Record<string, { readonly body: unknown; readonly answer: unknown }>>

/** What one side does for the other: a function for each subject. */
export type Served<S extends Subjects> = {
  readonly [K in keyof S]: (body: S[K]['body'], call: number) => S[K]['answer'] | Promise<S[K]['answer']>
}

/** `asked` is answered if it has a number. */
type Item =
  | { readonly asked: string; readonly call: number | undefined; readonly body: unknown }
  | { readonly to: number; readonly value: unknown }
  | { readonly to: number; readonly error: SentError }

interface Open {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

// Taken once, because the purity guard closes the globals while a handler runs, and what it threw is told from within.
const atTheEndOfThisTick = queueMicrotask

/** Items of one message: with more the other side would idle until the last of them is said. */
const itemsMax = 128

/** What is asked has the numbers from 1 to this one, and then again: they fit into a cell of shared memory. */
const callsMax = 2 ** 31 - 1

export class Line<Out extends Subjects, In extends Subjects> {
  readonly #port: ThreadPort
  readonly #open = new Map<number, Open>()
  readonly #onOpen: ((isOpen: boolean) => void) | undefined
  #items: Item[] = []
  #moved: ArrayBuffer[] = []
  #calls = 0
  #over: PlenumError | undefined

  /** `onOpen` is told when there is something to wait for, and when there no longer is. */
  constructor(port: ThreadPort, onOpen?: (isOpen: boolean) => void) {
    this.#port = port
    this.#onOpen = onOpen
  }

  /** Answers what the other side asks, from now on. */
  serve(served: Served<In>): void {
    this.#port.onMessage((items) => {
      for (const item of items as readonly Item[]) this.#receive(item, served)
    })
  }

  /** Asks the other side; `moved` are buffers of the body that this side does not need any more. */
  ask<K extends keyof Out & string>(
    subject: K,
    body: Out[K]['body'],
    options: { readonly moved?: ArrayBuffer; readonly onCall?: (call: number) => void } = {},
  ): Promise<Out[K]['answer']> {
    if (this.#over !== undefined) return Promise.reject(this.#over)
    this.#calls = (this.#calls % callsMax) + 1
    const call = this.#calls
    options.onCall?.(call)
    return new Promise((resolve, reject) => {
      if (this.#open.size === 0) this.#onOpen?.(true)
      this.#open.set(call, { resolve, reject })
      this.#say({ asked: subject, call, body }, options.moved)
    })
  }

  /** Tells the other side, which does not answer. */
  tell<K extends keyof Out & string>(subject: K, body: Out[K]['body']): void {
    if (this.#over === undefined) this.#say({ asked: subject, call: undefined, body })
  }

  /** The other side has ended: who waits hears `errorOf` its call, and nothing more is taken from there. */
  end(over: PlenumError, errorFor: (call: number) => PlenumError = () => over): void {
    if (this.#over !== undefined) return
    this.#over = over
    this.#items = []
    const open = [...this.#open]
    this.#open.clear()
    for (const [call, { reject }] of open) reject(errorFor(call))
    if (open.length > 0) this.#onOpen?.(false)
  }

  #say(item: Item, moved?: ArrayBuffer): void {
    if (this.#items.length === 0) atTheEndOfThisTick(() => this.#flush())
    this.#items.push(item)
    if (moved !== undefined) this.#moved.push(moved)
    if (this.#items.length >= itemsMax) this.#flush()
  }

  #flush(): void {
    const [items, moved] = [this.#items, this.#moved]
    this.#items = []
    this.#moved = []
    if (items.length === 0) return
    try {
      this.#port.post(items, moved)
    } catch {
      for (const item of items) this.#postAlone(item, moved)
    }
  }

  /** One of several that went together cannot be cloned; nothing was sent, and nothing moved. */
  #postAlone(item: Item, moved: readonly ArrayBuffer[]): void {
    try {
      const body: unknown = 'body' in item ? item.body : undefined
      const own = moved.filter((buffer) => holds(body, buffer))
      this.#port.post([item], own)
    } catch (error) {
      const why = new PlenumError(
        'VALUE_NOT_PLAIN',
        `A value cannot leave its thread: ${error instanceof Error ? error.message : String(error)}. Nothing happened.`,
      )
      if ('to' in item) {
        const isError = 'error' in item && 'plenum' in item.error
        // An error whose details cannot be cloned is still that error.
        const told = isError ? { ...item.error, plenum: { ...item.error.plenum, details: {} } } : sentError(why)
        return this.#port.post([{ to: item.to, error: told } satisfies Item], [])
      }
      if (item.call !== undefined) this.#take(item.call)?.reject(why)
    }
  }

  #receive(item: Item, served: Served<In>): void {
    if (this.#over !== undefined) return
    if (!('asked' in item)) {
      const open = this.#take(item.to)
      if ('error' in item) open?.reject(errorOf(item.error))
      else open?.resolve(item.value)
      return
    }
    const { asked, call, body } = item
    const serve = served[asked]
    if (serve === undefined) throw new PlenumError('INVARIANT_BROKEN', `Nobody serves '${asked}' in this thread.`)
    if (call === undefined) return void serve(body, 0)
    answered(() => serve(body, call)).then(
      (value) => this.#answer({ to: call, value }),
      (error: unknown) => this.#answer({ to: call, error: sentError(error) }),
    )
  }

  #answer(item: Item): void {
    if (this.#over === undefined) this.#say(item)
  }

  #take(call: number): Open | undefined {
    const open = this.#open.get(call)
    if (this.#open.delete(call) && this.#open.size === 0) this.#onOpen?.(false)
    return open
  }
}

/** What a function returns, now or later, and what it throws. */
function answered(serve: () => unknown): Promise<unknown> {
  try {
    const value = serve()
    return value instanceof Promise ? value : Promise.resolve(value)
  } catch (error) {
    return Promise.reject(error)
  }
}

function holds(body: unknown, buffer: ArrayBuffer): boolean {
  if (typeof body !== 'object' || body === null) return false
  return Object.values(body).some((value) => value instanceof Uint8Array && value.buffer === buffer)
}
