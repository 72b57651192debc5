// The simulated composition: any number of members on one thread and one seed, over simulated streams.
import {
  assert,
  checkedLimits,
  defaultLimits,
  durationMs,
  isPlenumError,
  PlenumError,
  uuid7,
  type Duration,
  type Limits,
} from '../kernel/index.ts'
import { calmStream, SimulatedStream } from '../journal/simulated/index.ts'
import { foldingOf, recover, type Folding, type PartitionEvent, type Replica } from '../partition/index.ts'
import { partitionerOf } from '../router/index.ts'
import type { Clock, Random, Runtime } from '../runtime/index.ts'
import { replayCommand } from '../runtime/node/index.ts'
import { FaultSchedule, World } from '../runtime/simulated/index.ts'
import {
  projectionRules,
  resolveUnit,
  UnitClient,
  unitDefinition,
  type Client,
  type ResolvedUnit,
  type Unit,
  type UsesOption,
} from '../unit/index.ts'
import { DamagedSnapshots } from './grid/damaged-snapshots.ts'
import { Islands } from './grid/islands.ts'
import { fullHash, PartitionWitness, type Claim } from './grid/partition-witness.ts'
import { KillPoints } from './grid/kill-points.ts'
import { Regressions } from './grid/regressions.ts'
import { SharedDigests } from './grid/shared-digests.ts'
import { SimulatedGrid } from './grid/simulated-grid.ts'
import { isFixed, seedsOf, withSeed } from './seeds.ts'
import { requireOk } from './checkers/check-result.ts'
import type { DumpLine } from './checkers/journal-dump.ts'
import { floors, streamFaults, worldFaults } from './run-faults.ts'
import { drawLimits } from './generators/draw-limits.ts'
import { dumpOf, JournalHistory } from './witness/journal-history.ts'
import { ReplyRecorder } from './witness/reply-recorder.ts'
import { checkReplies } from './witness/witness.ts'

/** Virtual time that a scenario may take, and that the grid may take to come to rest after the faults. */
const scenarioMsMax = 1_800_000
const settleMsMax = 120_000
/** Virtual time after which faults end, if the scenario lasts so long: then everything has to be answered. */
const faultMsMax = 300_000
/** Mean virtual time between two comparisons of all followers with the fold from zero. */
const compareEveryMs = 5_000

export type SimulateOptions<U extends Unit> = UsesOption<U> & {
  /**
   * Decides everything: the same seed gives the same run. Drawn if left out, or what PLENUM_SEED says; whatever fails
   * names its seed, and the command that replays it.
   */
  readonly seed?: number | undefined
  /** Runs so many seeds, one after the other, from `seed` on, or each drawn; 1. PLENUM_SEED runs its seed alone. */
  readonly runs?: number | undefined
  /** 3. */
  readonly members?: number | undefined
  /** 4. */
  readonly partitions?: number | undefined
  /** Clients of the grid, each with an address and sessions of its own; 1. */
  readonly clients?: number | undefined
  /** `all` kills, pauses, cuts off, delays and loses by the seed; `none` if left out. */
  readonly faults?: 'none' | 'all' | undefined
  /**
   * Have the streams lose acked records that all members hold, which level quorum allows (JR5). The faults that would
   * let the last witness of a record die or lag are left out then.
   */
  readonly regressions?: boolean | undefined
  /**
   * Kills a member at one of the points around its appends to a journal, counted from 1: before one is sent, once it is sent,
   * and once its outcome is known. With 0 nobody is killed, and the report says how many points there are, so that a test can
   * try each.
   */
  readonly killAt?: number | undefined
  /** Whether the members run the unit's workers and schedules. They do if left out. */
  readonly workers?: boolean | undefined
  /** The unit that members go over to by `upgrade`: for a rolling update. */
  readonly later?: Unit | undefined
  /** Limits in force instead of small random ones. */
  readonly limits?: Partial<Limits> | undefined
  /** Given the last 20,000 lines of what happened, oldest first, when the run has ended, also by an error. */
  readonly onTrace?: ((lines: readonly string[]) => void) | undefined
}

/** What a scenario gets: a client like any other, and a hand on the members. */
export interface SimulatedWorld<U extends Unit> {
  readonly client: Client<U>
  /** All clients; `client` is the first of them. */
  readonly clients: readonly Client<U>[]
  /** Virtual time, for recording histories. */
  readonly clock: Clock
  /** Randomness of this seed, for the scenario alone. */
  readonly random: Random
  /** Kills a member as `kill -9` does; it starts again by itself after a while. */
  kill(member: number): void
  /** Stops a member as SIGSTOP does, for so long. */
  pause(member: number, time: Duration): void
  /** Kills a member and starts it with the unit that is given as `later`. */
  upgrade(member: number): void
  /** Lets virtual time pass. */
  sleep(time: Duration): Promise<void>
  /** Ends all faults and waits until every partition is served again. */
  settle(): Promise<void>
  /** What the journals of all partitions say so far; whole after `settle`. */
  journal(): readonly DumpLine[]
}

/** What a run was like: for reports and for the campaign's sums. */
export interface SimulationReport {
  readonly seed: number
  readonly virtualMs: number
  readonly events: number
  /** Records of history over all partitions. */
  readonly records: number
  readonly voids: number
  /** Points that were passed at which `killAt` could kill a member; 0 if it was left out. */
  readonly killPoints: number
  /** Replies that were judged by the journal. */
  readonly replies: number
  readonly faults: Readonly<Record<string, number>>
  readonly probes: Readonly<Record<string, number>>
  /** Hash of everything that happened, for comparing two runs of one seed. */
  readonly trace: string
}

/**
 * Runs a scenario on a grid in virtual time, then checks that what every member holds is the fold of its journal.
 * Throws what the scenario throws, or CHECK_FAILED, with the seed and the command that replays it. The report is that of
 * the last run. USAGE for a seed or a number of runs that is none.
 */
export async function simulate<U extends Unit>(
  unit: U,
  options: SimulateOptions<U>,
  scenario: (world: SimulatedWorld<U>) => Promise<void>,
): Promise<SimulationReport> {
  const again = replayCommand()
  let report: SimulationReport | undefined
  for (const seed of seedsOf(options)) {
    const run = new SimulationRun(unit, options, seed)
    try {
      report = await run.play(scenario as (world: SimulatedWorld<Unit>) => Promise<void>)
    } catch (error) {
      run.stop()
      throw withSeed(error, seed, run.trace, isFixed(options) ? undefined : again(seed))
    }
    run.stop()
  }
  assert(report !== undefined, 'there is a seed to run')
  return report
}

class SimulationRun {
  readonly #world: World
  readonly #runtime: Runtime
  readonly #streams: readonly { readonly id: Uint8Array; readonly stream: SimulatedStream }[]
  readonly #damaged: readonly DamagedSnapshots[]
  readonly #witnesses: readonly PartitionWitness[]
  readonly #grid: SimulatedGrid
  readonly #clients: readonly UnitClient[]
  readonly #limits: Limits
  readonly #members: number
  readonly #unit: ResolvedUnit
  readonly #folding: Folding | undefined
  readonly #later: ResolvedUnit | undefined
  readonly #histories: readonly JournalHistory[]
  readonly #replies: ReplyRecorder
  readonly #killPoints: KillPoints | undefined
  #schedule: FaultSchedule | undefined
  #regressions: Regressions | undefined
  #islands: Islands | undefined
  #failures: PlenumError[] = []
  #judged = 0
  readonly #onTrace: SimulateOptions<Unit>['onTrace']

  constructor(unit: Unit, options: Omit<SimulateOptions<Unit>, 'uses'> & { readonly uses?: object }, seed: number) {
    const faults = options.faults ?? 'none'
    this.#onTrace = options.onTrace
    this.#world = new World({
      seed,
      faults: worldFaults(options, seed),
      traceLines: options.onTrace === undefined ? 0 : 20_000,
    })
    const world = this.#world
    this.#members = options.members ?? 3
    const operator = world.member('operator', { drift: 0, offsetMs: 0 })
    const digests = new SharedDigests()
    this.#runtime = digests.through(operator.runtime())
    const runtime = this.#runtime
    const drawn = faults === 'all' ? drawLimits(runtime.random, floors) : defaultLimits
    this.#limits = checkedLimits({ ...drawn, ...options.limits })
    const limits = this.#limits
    const resolve = (one: Unit) => resolveUnit(unitDefinition(one), { runtime, limits, checkAll: true })
    const resolved = resolve(unit)
    this.#unit = resolved
    // Over a change of units members fold with one's code and then with the other's.
    this.#folding = options.later === undefined ? witnessFolding(resolved, options.partitions ?? 4, limits) : undefined
    this.#later = options.later === undefined ? undefined : resolve(options.later)
    const streamOptions = {
      timers: runtime.timers,
      clock: runtime.clock,
      faults: streamFaults(options),
      level: options.regressions === true ? ('quorum' as const) : ('quorum-disk' as const),
      // A writer that soon calls an outcome unknown stops answering long before its lease does, and hides what the lease
      // is for.
      timings: faults === 'all' ? { appendTimeout: world.random.fork('append').pick([300, 1_500, 5_000]) } : {},
      probe: (name: string) => world.probes.add(name),
    }
    this.#streams = Array.from({ length: options.partitions ?? 4 }, (_, number) => ({
      id: runtime.random.bytes(16),
      stream: new SimulatedStream({ ...streamOptions, random: world.random.fork(`stream ${number}`) }),
    }))
    this.#damaged = faults === 'all' ? this.#streams.map(() => new DamagedSnapshots(world)) : []
    this.#histories = this.#streams.map((_, number) => new JournalHistory(number))
    this.#witnesses = this.#streams.map(({ id, stream }, number) => {
      const records = (from: number) => stream.records(from)
      return new PartitionWitness(number, id, runtime, limits, records, this.#histories[number]!.observe, this.#folding)
    })
    this.#replies = new ReplyRecorder((partition) => this.#witnesses[partition]!.look())
    this.#killPoints = this.#killPointsAt(options.killAt)
    this.#grid = new SimulatedGrid({
      world,
      unit: resolved,
      digests,
      members: this.#members,
      clients: options.clients ?? 1,
      silenceMs: faults === 'all' ? world.random.fork('silence').pick([100, 300, 1_000]) : 1_000,
      limits,
      streams: this.#streams.map(({ id, stream }, number) => ({
        id,
        stream: { connect: this.#connect(stream, number) },
      })),
      onEvent: (member, partition, event) => this.#onEvent(member, partition, event),
      uses: options.workers === false ? undefined : { ...options.uses },
      watch: (channel) => this.#replies.watch(channel),
    })
    this.#clients = this.#newClients({ ...options.uses })
    this.#startFaults(options)
  }

  #newClients(uses: Readonly<Record<string, unknown>>): readonly UnitClient[] {
    const [unit, limits] = [this.#unit, this.#limits]
    const caller = { kind: 'client', subject: 'simulation', claims: {} } as const
    return this.#grid.clients.map(({ router, runtime: own }) => {
      const newId = (): string => uuid7(own.clock.wall(), own.random.bytes(10))
      return new UnitClient({ unit, router, limits, uses, newId, caller, close: () => Promise.resolve() })
    })
  }

  #startFaults({ faults, regressions }: Pick<SimulateOptions<Unit>, 'faults' | 'regressions'>): void {
    if (regressions === true) {
      const streams = this.#streams.map(({ stream }) => stream)
      const look = (partition: number): void => void this.#witnesses[partition]!.look()
      this.#regressions = new Regressions(this.#world, this.#grid, streams, streamFaults({ faults, regressions }), look)
    }
    if (faults === 'all') {
      const { network, machines, memberNames, clientNames } = this.#grid
      this.#schedule = new FaultSchedule(this.#world, {
        members: machines,
        parties: [...memberNames, ...clientNames],
        network,
        disks: new Map(),
        start: (machine) => this.#grid.started(machine),
        deadMax: this.#members,
      })
    }
    // Left out in some runs, because faults hide each other.
    if (faults === 'all' && regressions !== true && this.#world.random.fork('islands or none').chance(0.6))
      this.#islands = new Islands(this.#world, this.#grid, this.#streams.length, this.#limits.leaseMs)
  }

  async play(scenario: (world: SimulatedWorld<Unit>) => Promise<void>): Promise<SimulationReport> {
    const world = this.#world
    const clients = this.#clients as unknown as readonly Client<Unit>[]
    this.#compareLater()
    world.after(faultMsMax, () => void this.#endFaults().catch(() => undefined))
    const running = scenario({
      client: clients[0]!,
      clients,
      clock: this.#runtime.clock,
      random: world.random.fork('scenario'),
      kill: (member) => this.#kill(member),
      pause: (member, time) => {
        world.counts.add('pause')
        this.#grid.pause(member, durationMs(time, 'time'))
      },
      upgrade: (member) => {
        if (this.#later === undefined) throw new PlenumError('USAGE', 'simulate(…): upgrade needs the option `later`.')
        world.counts.add('upgrade')
        this.#grid.replace(member, this.#later)
      },
      sleep: (time) => world.runFor(durationMs(time, 'time')),
      settle: () => this.#settle(),
      journal: () => this.#journal(),
    })
    await world.complete(running, { maxMs: scenarioMsMax })
    await this.#settle()
    await this.#check()
    return this.#report()
  }

  /** Hash of what has happened so far. */
  get trace(): string {
    return this.#world.trace.hash
  }

  #killPointsAt(killAt: number | undefined): KillPoints | undefined {
    if (killAt === undefined) return undefined
    return new KillPoints(killAt, (member) => this.#kill(this.#grid.memberNames.indexOf(member)))
  }

  #kill(member: number): void {
    this.#world.counts.add('kill')
    this.#grid.kill(member)
  }

  stop(): void {
    this.#schedule?.stop()
    this.#regressions?.stop()
    this.#islands?.stop()
    this.#grid.stop()
    this.#onTrace?.(this.#world.trace.lines)
  }

  #journal(): readonly DumpLine[] {
    for (const witness of this.#witnesses) witness.look()
    return this.#histories.flatMap((history) => dumpOf(history))
  }

  #connect(stream: SimulatedStream, partition: number) {
    return (member: string, runtime: Runtime, reachable: () => boolean) => {
      const journal = stream.journalFor({ timers: runtime.timers, reachable })
      this.#damaged[partition]?.through(journal)
      this.#killPoints?.through(journal, member)
      const trim = journal.trim.bind(journal)
      journal.trim = (before) => {
        this.#witnesses[partition]!.look()
        return trim(before)
      }
      return journal
    }
  }

  #onEvent(member: number, partition: number, event: PartitionEvent): void {
    this.#world.trace.note(this.#world.now, `member ${member} partition ${partition} ${described(event)}`)
    if (event.kind === 'projection-diverged') this.#failures.push(nondeterministic(event.projection, event.index))
    if (event.kind !== 'failed') return
    const { code, message } = event.error
    this.#failures.push(
      new PlenumError('CHECK_FAILED', `Member ${member} gave up partition ${partition}: ${code}: ${message}`, {
        details: { member, partition, code },
        cause: event.error,
      }),
    )
  }

  /** Ends all faults; resolves when nobody is down, paused or cut off any more. */
  async #endFaults(): Promise<void> {
    this.#schedule?.stop()
    this.#regressions?.stop()
    this.#islands?.stop()
    for (const damaged of this.#damaged) damaged.stop()
    this.#world.setFaults()
    for (const { stream } of this.#streams) stream.setFaults(calmStream)
    const isMended = (): boolean => this.#failures.length > 0 || this.#regressions?.isMended !== false
    await this.#world.run(isMended, { maxMs: settleMsMax })
    this.#grid.heal()
  }

  async #settle(): Promise<void> {
    await this.#endFaults()
    this.#throwFailures()
    const served = (): boolean =>
      this.#failures.length > 0 || this.#streams.every((_, partition) => this.#grid.primaryOf(partition) !== undefined)
    await this.#world.run(served, { maxMs: settleMsMax })
    this.#throwFailures()
    const command = { kind: 'source-state', source: '' } as const
    const asked = Promise.all(this.#grid.clients.map(({ router }) => router.all(command, { read: 'confirmed' })))
    await this.#world.complete(asked, { maxMs: settleMsMax })
  }

  /** Compares what followers hold with the fold from zero, now and then for as long as the run lasts (A5). */
  #compareLater(): void {
    const world = this.#world
    world.after(world.random.fork(`compare ${world.events}`).exponential(compareEveryMs), () => {
      this.#compareFollowers()
      this.#compareLater()
    })
  }

  #compareFollowers(): void {
    for (const [partition, witness] of this.#witnesses.entries()) {
      witness.look()
      const claims: Claim[] = []
      for (let member = 0; member < this.#members; member++) {
        const found = this.#grid.partitionsOf(member)[partition]
        if (found?.role.kind !== 'following') continue
        const { replica } = found.role
        const hash = this.#folding === undefined ? replica.hash() : fullHash(replica)
        claims.push({ who: `member ${member}`, index: replica.fold.head.index, hash })
      }
      witness.compare(claims)
    }
  }

  /**
   * Every member's state, and a recovery from snapshot and tail, is the fold from zero at its index (A5); every reply
   * that was given is one that the naive twin gives along the journal (A1, A3).
   */
  async #check(): Promise<void> {
    await this.#world.runFor(1_000)
    this.#throwFailures()
    this.#compareFollowers()
    // Nobody trims while the recoveries read.
    this.#grid.stop()
    for (const [partition, witness] of this.#witnesses.entries()) {
      const { id, stream } = this.#streams[partition]!
      const recovered = await this.#recoverFrom(id, stream)
      witness.look()
      witness.compare([{ who: 'snapshot and tail', index: recovered.fold.head.index, hash: fullHash(recovered) }])
    }
    const units = { unit: this.#unit, later: this.#later }
    const counts = requireOk('replies', checkReplies(this.#histories, this.#replies.replies, units))
    this.#judged = counts.judged
  }

  /** Recovers as a new member would; a stream may still elect its last leader. */
  async #recoverFrom(journalId: Uint8Array, stream: SimulatedStream): Promise<Replica> {
    const options = {
      journalId,
      runtime: this.#runtime,
      limits: this.#limits,
      folding: this.#folding,
      onEvent: () => {},
    }
    const deadline = this.#world.now + settleMsMax
    for (;;) {
      try {
        const recovering = recover({ ...options, journal: stream.journalFor() })
        return await this.#world.complete(recovering, { maxMs: settleMsMax })
      } catch (error) {
        if (!isPlenumError(error, 'JOURNAL_UNAVAILABLE') || this.#world.now > deadline) throw error
        await this.#world.runFor(500)
      }
    }
  }

  #throwFailures(): void {
    const [first] = this.#failures
    if (first !== undefined) throw first
  }

  #report(): SimulationReport {
    const faults: Record<string, number> = { ...this.#world.counts.all() }
    for (const { stream } of this.#streams) {
      for (const [name, count] of Object.entries(stream.counts)) faults[name] = (faults[name] ?? 0) + count
    }
    return {
      seed: Number(this.#world.seed),
      virtualMs: Math.round(this.#world.now),
      events: this.#world.events,
      records: this.#witnesses.reduce((sum, { accepted }) => sum + accepted, 0),
      voids: this.#witnesses.reduce((sum, { replica }) => sum + replica.fold.voids, 0),
      killPoints: this.#killPoints?.count ?? 0,
      replies: this.#judged,
      faults,
      probes: { ...this.#world.probes.all() },
      trace: this.#world.trace.hash,
    }
  }
}

function nondeterministic(projection: string, index: number): PlenumError {
  return new PlenumError(
    'CHECK_FAILED',
    `Projection '${projection}' is not deterministic: two members came to different states at index ${index}.`,
    { details: { projection, index } },
  )
}

/** What the witnesses fold: the same as members do. */
function witnessFolding(parts: ResolvedUnit, partitions: number, limits: Limits): Folding {
  const projections = projectionRules({ parts, limits, partitionOf: partitionerOf(partitions) })
  return foldingOf({ ...parts, projections }, limits, () => {})
}

function described(event: PartitionEvent): string {
  const told = Object.entries(event).filter(([, value]) => typeof value === 'string' || typeof value === 'number')
  return told.map(([, value]) => value).join(' ')
}
