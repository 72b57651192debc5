// Has the clients of a workload take their turns, and records what they ask and hear.
import { isPlenumError, PlenumError } from 'plenum'
import type { Answered, Asked, RecordedClient } from 'plenum/testing'
import type { Bench } from './bench.ts'
import { Watcher } from '../watcher.ts'
import type { Manner, Script, Turn, Watching } from './workload.ts'

/** How often an operation that has to be answered is asked, and the milliseconds between two tries. */
const triesMax = 50
const retryMs = 500
/** Milliseconds after the faults within which requests arrive that nobody waits for any more. */
const strayMs = 5_000
const patient: Manner = { timeout: undefined, confirmed: false }

interface Seat {
  readonly client: number | 'fresh'
  readonly recorded: RecordedClient
}

/** Plays a script: opening, all clients at once, the end of the faults, and the last reads by a fresh client. */
export async function play(bench: Bench, script: Script, clients: number, works = false): Promise<void> {
  const seats = Array.from({ length: clients }, (_, client) => ({ client, recorded: bench.recorder.client() }))
  const first = seats[0]!
  for (const step of script.opening) await untilAnswered(bench, script, first, step, patient)
  const watchers = watchersOf(bench, script.watching)
  const turns = Map.groupBy(script.turns, ({ client }) => client)
  await Promise.all(seats.map((seat) => takeTurns(bench, script, seat, turns.get(seat.client) ?? [])))
  await bench.settle()
  if (script.watching !== undefined) await hearOut(bench, script, script.watching, watchers)
  const fresh: Seat = { client: 'fresh', recorded: bench.recorder.client() }
  for (const step of script.closing)
    await untilAnswered(bench, script, fresh, step, { timeout: undefined, confirmed: true })
  if (works) await recordOutcome(bench, fresh)
}

interface Named {
  readonly id: number
  readonly group: string
}

/** Waits until workers have nothing left to do, and records what became of each thing that they were given. */
async function recordOutcome(bench: Bench, { client, recorded }: Seat): Promise<void> {
  const manner: Manner = { timeout: undefined, confirmed: true }
  const { done, dead } = await untilDone(() => bench.ask(client, { f: 'outcome' }, manner), bench)
  bench.closeWork()
  for (const [f, named] of Object.entries({ done, dead })) {
    for (const { id, group } of named) {
      const told = { value: id }
      await recorded.run(
        { f, key: group, value: id },
        () => Promise.resolve(told),
        () => told,
      )
    }
  }
}

async function untilDone(
  ask: () => Promise<Answered>,
  bench: Bench,
): Promise<{ readonly done: readonly Named[]; readonly dead: readonly Named[] }> {
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      const { value } = await ask()
      return value as { readonly done: readonly Named[]; readonly dead: readonly Named[] }
    } catch (error) {
      if (!isPlenumError(error)) throw error
      await bench.sleep(retryMs)
    }
  }
  throw new PlenumError('CHECK_FAILED', 'The workers do not come to an end, though nothing is wrong.')
}

async function takeTurns(bench: Bench, script: Script, seat: Seat, turns: readonly Turn[]): Promise<void> {
  for (const { pauseMs, step, timeout, wait } of turns) {
    if (pauseMs > 0) await bench.sleep(pauseMs)
    await take(bench, script, seat, step, { timeout, wait, confirmed: false })
  }
}

/** Takes one step; errors of the platform are recorded, anything else is a defect of this program. */
async function take(bench: Bench, script: Script, seat: Seat, step: Asked, manner: Manner): Promise<boolean> {
  const asked = script.ask?.(step) ?? step
  try {
    const answer = (told: Answered): Answered => told
    const told = await seat.recorded.run(asked, () => bench.ask(seat.client, asked, manner), answer)
    script.hear?.(asked, told)
    return true
  } catch (error) {
    if (!isPlenumError(error)) throw error
    return false
  }
}

async function untilAnswered(bench: Bench, script: Script, seat: Seat, step: Asked, manner: Manner): Promise<void> {
  for (let tries = 0; tries < triesMax; tries++) {
    if (await take(bench, script, seat, step, manner)) return
    await bench.sleep(retryMs)
  }
  throw new PlenumError('CHECK_FAILED', `'${step.f}' was not answered in ${triesMax} tries, though nothing is wrong.`)
}

function watchersOf(bench: Bench, { watchers }: Watching = { watchers: [], last: [] }): readonly Watcher[] {
  return watchers.map(
    ({ client, ...watcher }) =>
      new Watcher({
        ...watcher,
        recorder: bench.recorder,
        follow: (asked, hear, signal) => bench.follow(client, asked, hear, signal),
        sleep: (ms) => bench.sleep(ms),
      }),
  )
}

/** Has a client write everything once more, and the watchers listen until they have heard of it. */
async function hearOut(bench: Bench, script: Script, { last }: Watching, watchers: readonly Watcher[]): Promise<void> {
  // What was given up may still arrive: not after the last writes.
  await bench.sleep(strayMs)
  const writer: Seat = { client: 'fresh', recorded: bench.recorder.client() }
  for (const step of last) await untilAnswered(bench, script, writer, step, patient)
  const written = last.map(({ key, value }) => ({ key, entry: value }))
  for (const watcher of watchers) await watcher.hearOut(written)
}
