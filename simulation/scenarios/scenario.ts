// What a scenario is: steps that a seed draws, and how several clients at once take them.
//
// I1 A scenario draws all its steps before the run, so that a failing list of them can be shrunk.
// I2 Whatever a client heard is recorded, and judged by a checker after the faults have ended.
import { HistoryRecorder, type Random, type RecordedClient, type SimulatedWorld } from 'plenum/testing'
import type { Duration, Limits } from 'plenum'
import type unit from '../unit.ts'
import type { ChoreLog } from '../chore-log.ts'
import type { LineTable } from '../line-table.ts'

/** One step of one client. */
export interface Turn<Step> {
  readonly client: number
  /** Virtual milliseconds that the client waits before it. */
  readonly pauseMs: number
  /** How long the client waits for the answer; for ever if undefined. */
  readonly timeout: Duration | undefined
  readonly step: Step
}

/** One client of a scenario: what it asks through, and what records its answers. */
export interface Seat {
  readonly number: number
  readonly unit: SimulatedWorld<typeof unit>['client']
  readonly recorded: RecordedClient
}

/** Where a scenario plays. */
export interface Stage {
  readonly world: SimulatedWorld<typeof unit>
  readonly recorder: HistoryRecorder
  readonly seats: readonly Seat[]
  /** The store behind the unit's source. */
  readonly lines: LineTable
  /** The world outside of the unit's worker. */
  readonly chores: ChoreLog
}

/** How much was done and checked, by name. */
export type Counts = Readonly<Record<string, number>>

/** A scenario as it is declared, with steps of its own type. */
export interface ScenarioDeclaration<Step> {
  readonly name: string
  readonly about: string
  /** Limits that a client notices, drawn small. */
  readonly limits?: (random: Random) => Partial<Limits>
  /** Whether the members run the unit's workers. */
  readonly workers?: boolean
  /** So many steps, in the order in which clients take them. */
  readonly draw: (random: Random, count: number) => readonly Step[]
  /** Tells the steps that change nothing: one client takes only these, so that nothing it does holds it up. */
  readonly isRead: (step: Step) => boolean
  /** Takes the turns on the stage, settles and checks. Throws CHECK_FAILED where a rule is broken. */
  readonly play: (stage: Stage, turns: readonly Turn<Step>[]) => Promise<Counts>
}

/** The turns of one seed; some of them may be left out. */
export interface Play {
  readonly turns: readonly Turn<unknown>[]
  readonly limits: Partial<Limits>
  readonly workers: boolean
  play(stage: Stage, chosen: readonly number[]): Promise<Counts>
}

/** A scenario whose steps nobody outside has to know. */
export interface Scenario {
  readonly name: string
  readonly about: string
  prepare(random: Random, clients: number, count: number): Play
}

/** Declares a scenario. */
export function scenario<Step>(declaration: ScenarioDeclaration<Step>): Scenario {
  const { name, about, draw, isRead, limits, workers = false, play } = declaration
  return {
    name,
    about,
    prepare: (random, clients, count) => {
      const turns = draw(random, count).map((step) => turnOf(random, clients, step, isRead(step)))
      return {
        turns,
        limits: limits?.(random) ?? {},
        workers,
        play: (stage, chosen) =>
          play(
            stage,
            chosen.map((at) => turns[at]!),
          ),
      }
    },
  }
}

/** The last client is the one that only reads. */
function turnOf<Step>(random: Random, clients: number, step: Step, isRead: boolean): Turn<Step> {
  const client = isRead && random.next() < 0.7 ? clients - 1 : random.integer(clients - 1)
  const timeout: Duration | undefined = random.next() < 0.15 ? `${100 + random.integer(3_000)}ms` : undefined
  return { client, pauseMs: pauseOf(random), timeout, step }
}

/** Mostly none, sometimes a while, seldom so long that a reign or a partition of the network passes. */
function pauseOf(random: Random): number {
  const kind = random.next()
  if (kind < 0.5) return 0
  return kind < 0.9 ? random.integer(100) : random.integer(3_000)
}

/** Virtual milliseconds between two reads that are repeated, and how many there may be. */
const readEveryMs = 40
const readsAgainMax = 300

/** Has all clients take their turns at once, each one turn after the other. */
export async function takeTurns<Step>(
  { world, seats }: Stage,
  turns: readonly Turn<Step>[],
  take: (turn: Turn<Step>, seat: Seat) => Promise<void>,
): Promise<void> {
  let busy = seats.length - 1
  await Promise.all(
    seats.map(async (seat) => {
      const own = turns.filter(({ client }) => client === seat.number)
      for (const turn of own) {
        if (turn.pauseMs > 0) await world.sleep(`${turn.pauseMs}ms`)
        await take(turn, seat)
      }
      if (seat.number < seats.length - 1) {
        busy -= 1
        return
      }
      // Whoever only reads goes on, for as long as others may change what it reads.
      for (let again = 0; busy > 0 && own.length > 0 && again < readsAgainMax; again++) {
        await world.sleep(`${readEveryMs}ms`)
        await take(own[again % own.length]!, seat)
      }
    }),
  )
}

/** A stage in a simulated world. */
export function stageIn(world: SimulatedWorld<typeof unit>, { lines, chores }: Pick<Stage, 'lines' | 'chores'>): Stage {
  const recorder = new HistoryRecorder(world.clock)
  const seats = world.clients.map((client, number) => ({ number, unit: client, recorded: recorder.client() }))
  return { world, recorder, seats, lines, chores }
}
