import { isPlenumError, PlenumError, type Token } from 'plenum'
import { Register } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage, type Turn } from './scenario.ts'

/** What a client does to a register. */
type Step = { readonly f: 'write' | 'remove'; readonly id: string; readonly value: number }

const registers = 8
/** Virtual milliseconds within which a watch has to show what is there, after the faults. */
const caughtUpMsMax = 60_000

/** Registers that are watched by a client that resumes whenever its watch is cut off. */
export const watch: Scenario = scenario<Step>({
  name: 'watch',
  about: 'a copy that is kept by a watch alone: every change fits the copy, and in the end it is what is there',
  isRead: () => false,
  draw: (random, count) =>
    Array.from({ length: count }, (_, value) => ({
      f: random.next() < 0.75 ? 'write' : 'remove',
      id: `register ${random.integer(registers)}`,
      value,
    })),
  // Few changes are kept, so that some watches find that theirs are gone.
  limits: (random) => ({ changeRingMax: [8, 64, 10_000][random.integer(3)]! }),
  play: async (stage, turns) => {
    const copy = new Copy(stage.seats.at(-1)!)
    const watching = copy.follow(stage)
    await takeTurns(stage, turns, take)
    await stage.world.settle()
    await copy.matches(stage)
    copy.stop()
    await watching
    return copy.counts
  },
})

/** A client's copy of the registers. */
class Copy {
  readonly #seat: Seat
  readonly #abort = new AbortController()
  #values = new Map<string, number>()
  #token: Token | undefined
  #changes = 0
  #resets = 0
  #resumed = 0

  constructor(seat: Seat) {
    this.#seat = seat
  }

  get counts() {
    return { 'changes seen': this.#changes, resets: this.#resets, 'times resumed': this.#resumed }
  }

  stop(): void {
    this.#abort.abort()
  }

  /** Follows until it is stopped, from its last token on. */
  async follow({ world }: Stage): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        const options = { since: this.#token, signal: this.#abort.signal }
        for await (const event of this.#seat.unit.space.watch(Register, {}, options)) {
          if (event.kind === 'reset') {
            this.#resets += 1
            this.#values.clear()
            continue
          }
          this.#token = event.token
          if (event.kind === 'changes') for (const change of event.changes) this.#apply(change)
        }
      } catch (error) {
        if (!isPlenumError(error) || error.code === 'CHECK_FAILED') throw error
        this.#resumed += 1
        await world.sleep('200ms')
      }
    }
  }

  /** Every change must fit what the ones before it made. */
  #apply(change: {
    readonly kind: 'added' | 'changed' | 'removed'
    readonly entry: { readonly id: string; readonly value: number }
    readonly previous?: { readonly value: number }
  }): void {
    const { kind, entry, previous } = change
    this.#changes += 1
    const held = this.#values.get(entry.id)
    const expected = kind === 'added' ? undefined : (previous ?? entry).value
    if (held !== expected) {
      throw new PlenumError(
        'CHECK_FAILED',
        `watch: '${kind}' of ${entry.id} goes from ${expected ?? 'nothing'}, but the copy has ${held ?? 'nothing'}.`,
      )
    }
    if (kind === 'removed') this.#values.delete(entry.id)
    else this.#values.set(entry.id, entry.value)
  }

  /** In the end the copy is what is there. */
  async matches({ world, seats }: Stage): Promise<void> {
    const until = world.clock.monotonic() + caughtUpMsMax
    for (;;) {
      const there = await seats[0]!.unit.space.readAll(Register, {})
      const isSame =
        there.length === this.#values.size && there.every(({ id, value }) => this.#values.get(id) === value)
      if (isSame) return
      if (world.clock.monotonic() > until) {
        const text = JSON.stringify(Object.fromEntries(this.#values))
        throw new PlenumError('CHECK_FAILED', `watch: the copy is ${text}; there is ${JSON.stringify(there)}.`)
      }
      await world.sleep('500ms')
    }
  }
}

async function take({ step, timeout }: Turn<Step>, { unit }: Seat): Promise<void> {
  const { f, id, value } = step
  try {
    if (f === 'write') await unit.space.write(Register, { id, value }, { timeout })
    else await unit.space.remove(Register, { id }, { timeout })
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}
