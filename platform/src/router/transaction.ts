// A transaction from outside (TX1): runs a function, keeps what it saw and changed, and commits all of it or nothing.
//
// Owns what one run of the function has seen and changed at each partition, and the steps of a commit over several
// (TX3, TX4). Does not own what is checked or held there: that is the partitions' (`partition/transactions.ts`).
// Called by `space-client.ts`.
//
// I1 Nothing is changed anywhere before the commit, and each command is sent on top of those that it may depend on.
// I2 What the function concludes counts only once all that it saw has been found unchanged, its errors included.
// I3 The commit is sent when all other participants hold what they need; they are told it was none only where that is
//    certain.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import {
  errorFrom,
  isChange,
  withStamps,
  type ClaimName,
  type Command,
  type Drafted,
  type ReadCommand,
  type Seen,
  type SeenEntry,
  type SeenQuery,
  type StoredValue,
  type TransactionName,
  type Wait,
  type WriteCommand,
} from '../space/index.ts'
import { copied } from './copied.ts'
import { notInTransaction } from './given-options.ts'
import { MadeCommands, type KeyFieldsOf } from './made-commands.ts'
import type { RouteOptions, Router } from './router.ts'
import type { Sender } from './sender.ts'

type DataCommand = ReadCommand | WriteCommand

/** How a transaction is run. */
export interface TransactionOptions {
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
  /** Runs until a conflict is told. */
  readonly attempts: number
}

/** The claim that a transaction ends with its commit (UN3). */
export interface ClaimToEnd {
  /** Where the claimed entry is, and the transaction is decided. */
  readonly partition: number
  readonly name: ClaimName
  /** Partition time at which it was given. */
  readonly time: number
  /** Milliseconds that its worker may take. */
  readonly workMs: number
  /** The entry that was claimed, its type and version. */
  readonly entry: StoredValue
  readonly type: string
  readonly version: number
  /** The id that a patch of these fields is answered; throws what the partition would, undefined if only that can say. */
  readonly foreseePatch: (fields: StoredValue) => string | undefined
}

/** What bounds one run of a transaction, and what ends with it. */
interface ScopeOptions {
  /** By the router's clock. */
  readonly deadline: number | undefined
  readonly signal: AbortSignal | undefined
  readonly claim?: ClaimToEnd | undefined
}

/** What a transaction has seen and will change at one partition. */
interface Share {
  readonly entries: SeenEntry[]
  readonly queries: SeenQuery[]
  readonly made: MadeCommands
  /** True once anything was asked of it, answered or not. */
  isAsked: boolean
  /** Reads that were answered together: more than one may not go together. */
  drafts: number
  /** Partition time at the first of them. */
  time: number
  /** Settles when the last change has been tried: what comes next is sent on top of it. */
  last: Promise<unknown>
}

/** What a command was answered, and what is committed in its place. */
export interface Tried {
  readonly value: unknown
  readonly made: readonly WriteCommand[]
}

/** Runs a function until what it saw can be committed. TRANSACTION_CONFLICT after `attempts` runs. */
export async function runTransaction<R>(
  router: Router,
  limits: Limits,
  keyFieldsOf: KeyFieldsOf,
  run: (scope: TransactionScope) => Promise<R>,
  options: TransactionOptions,
): Promise<R> {
  const deadline = options.timeoutMs === undefined ? undefined : router.now() + options.timeoutMs
  for (let attempt = 1; ; attempt++) {
    const begun = router.now()
    const scope = new TransactionScope(router, limits, keyFieldsOf, { deadline, signal: options.signal })
    try {
      return await scope.run(run)
    } catch (error) {
      if (!isPlenumError(error, 'TRANSACTION_CONFLICT')) throw error
      if (attempt >= options.attempts) throw gaveUp(error, attempt)
      await router.pause(pauseMs(router, router.now() - begun, attempt))
    }
  }
}

/** Milliseconds until the next run: somewhere within the time of the last, and less for whoever has tried for longer. */
function pauseMs(router: Router, lastMs: number, attempt: number): number {
  return (router.random() * 2 * (lastMs + 1)) / attempt
}

/** One run of a transaction's function: a sender like the router, whose commands are tried and not yet made. */
export class TransactionScope implements Sender {
  readonly inTransaction = true
  readonly #router: Router
  readonly #limits: Limits
  readonly #keyFieldsOf: KeyFieldsOf
  readonly #deadline: number | undefined
  readonly #signal: AbortSignal | undefined
  readonly #claim: ClaimToEnd | undefined
  readonly #begun: number
  readonly #shares = new Map<number, Share>()
  readonly #open = new Set<Promise<unknown>>()
  readonly #until: number
  #seen = 0
  #doom: { readonly error: unknown } | undefined
  #isOver = false

  constructor(router: Router, limits: Limits, keyFieldsOf: KeyFieldsOf, { deadline, signal, claim }: ScopeOptions) {
    this.#router = router
    this.#limits = limits
    this.#keyFieldsOf = keyFieldsOf
    this.#deadline = deadline
    this.#signal = signal
    this.#claim = claim
    this.#begun = router.now()
    this.#until = this.#begun + (claim?.workMs ?? limits.transactionMsMax)
  }

  get partitions(): number {
    return this.#router.partitions
  }

  /** Runs the function and commits what it did. */
  async run<R>(run: (scope: TransactionScope) => Promise<R>): Promise<R> {
    const result = await this.#concluded(run)
    if (this.#doom !== undefined) throw this.#doom.error
    if (result.ok) {
      await this.#commit()
      return result.value
    }
    await this.#confirm(result.error)
    throw result.error
  }

  async #concluded<R>(
    run: (scope: TransactionScope) => Promise<R>,
  ): Promise<{ readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown }> {
    try {
      const value = await run(this)
      // What was not awaited belongs to it as well, and what follows from that once it is answered.
      while (this.#open.size > 0) {
        await Promise.all(this.#open)
        await this.#router.pause(0)
      }
      return { ok: true, value }
    } catch (error) {
      await Promise.allSettled(this.#open)
      return { ok: false, error }
    } finally {
      this.#isOver = true
    }
  }

  /** An error of the function counts if what it saw is still so (I2). */
  async #confirm(error: unknown): Promise<void> {
    try {
      await this.#validate()
    } catch (cause) {
      // Where it cannot be confirmed, it does not count either.
      if (cause instanceof Error && cause.cause === undefined) cause.cause = error
      throw cause
    }
  }

  partitionOf(route: unknown): number {
    return this.#router.partitionOf(route)
  }

  route(route: unknown, command: Command, options?: RouteOptions): Promise<unknown> {
    return this.send(this.#router.partitionOf(route), command, options)
  }

  all(command: Command, options?: RouteOptions): Promise<readonly unknown[]> {
    return Promise.all(Array.from({ length: this.partitions }, (_, at) => this.send(at, command, options)))
  }

  newWait(): Wait {
    throw notInTransaction('waiting for a match')
  }

  now(): number {
    return this.#router.now()
  }

  cancel(): Promise<void> {
    return Promise.resolve()
  }

  send(partition: number, command: Command, options?: RouteOptions): Promise<unknown> {
    return this.attempt(partition, command, options).then(({ value }) => value)
  }

  /**
   * Tries a command on top of those that it may depend on, and notes what it saw. What repeats at another partition what
   * was counted at one does not count.
   */
  attempt(partition: number, command: Command, options?: RouteOptions, isRepeat = false): Promise<Tried> {
    if (!isData(command)) return Promise.reject(notInTransaction(`'${command.kind}'`))
    if (options?.key !== undefined) return Promise.reject(notInTransaction('a key'))
    const share = this.#share(partition)
    const own = copied(command)
    try {
      const known = this.#known(partition, share, own)
      if (known !== undefined) return Promise.resolve(known)
    } catch (error) {
      return Promise.reject(error)
    }
    share.isAsked = true
    const sent = share.last.then(() => this.#draft(partition, share, own, { ...options, isRepeat }))
    if (isChange(command)) share.last = sent.catch(() => undefined)
    this.#open.add(sent)
    const settled = (): void => void this.#open.delete(sent)
    sent.then(settled, settled)
    // Of what nobody waits for, an error is unhandled like any other.
    return sent.then((tried) => tried)
  }

  /**
   * The first change of the claimed entry, where nothing else was asked of its partition: what it will be is known, because
   * the commit counts only if the entry is as it was claimed. Anything else is drafted.
   */
  #known(partition: number, share: Share, command: DataCommand): Tried | undefined {
    const claim = this.#claim
    if (claim === undefined || share.isAsked || this.#isOver || partition !== claim.partition) return undefined
    if ((command.kind !== 'remove' && command.kind !== 'patch') || command.type !== claim.type) return undefined
    const { entry, version } = claim
    const { key, options } = command
    if (Object.keys(options).some((name) => options[name as keyof typeof options] !== undefined)) return undefined
    if (!this.#keyFieldsOf(command.type).every((field) => key[field] === entry[field])) return undefined
    const id = command.kind === 'remove' ? '' : claim.foreseePatch(command.fields)
    if (id === undefined) return undefined
    const value = command.kind === 'remove' || { id, version: version + 1, stamp: 0 }
    share.isAsked = true
    share.drafts = 1
    share.made.add(command)
    return { value, made: [command] }
  }

  /** The transaction ends with this error, whatever its function makes of it: what it has tried does not fit together. */
  doom(error: unknown): void {
    this.#doom ??= { error }
  }

  async #draft(
    partition: number,
    share: Share,
    command: DataCommand,
    options: RouteOptions & { readonly isRepeat: boolean },
  ): Promise<Tried> {
    this.#checkTime()
    const before = share.made.before(command)
    const drafted = (await this.#router
      .send(partition, { kind: 'draft', before, command }, this.#within(options))
      .catch((error: unknown) => {
        if (isPlenumError(error, 'TRANSACTION_CONFLICT')) this.doom(error)
        throw error
      })) as Drafted
    this.#note(share, drafted, options.isRepeat)
    const { answer, stamps } = drafted
    if (!answer.ok) throw errorFrom(answer.error)
    const made = isChange(command) ? (drafted.chosen ?? [command]) : []
    if (made.length > 0) {
      if (share.made.all.length + made.length > this.#limits.transactionCommandsMax) throw tooMany(this.#limits)
      for (const one of made) share.made.add(one)
    }
    return { value: withStamps(answer.value, stamps), made }
  }

  #note(share: Share, { seen, time }: Drafted, isRepeat: boolean): void {
    if (share.drafts++ === 0) share.time = time
    if (!isRepeat) this.#seen += seen.entries.length + seen.queries.length
    if (this.#seen > this.#limits.transactionReadsMax) throw tooMuchSeen(this.#limits)
    share.entries.push(...seen.entries)
    share.queries.push(...seen.queries)
  }

  #share(partition: number): Share {
    const known = this.#shares.get(partition)
    if (known !== undefined) return known
    const made = new MadeCommands(this.#keyFieldsOf)
    const share: Share = { entries: [], queries: [], made, isAsked: false, drafts: 0, time: 0, last: Promise.resolve() }
    this.#shares.set(partition, share)
    return share
  }

  async #commit(): Promise<void> {
    const claim = this.#claim
    const shares = [...this.#shares].filter(([, { drafts }]) => drafts > 0)
    const decides = claim === undefined ? shares.find(([, { made }]) => made.all.length > 0)?.[0] : claim.partition
    if (decides === undefined) return this.#validate()
    const partition = decides
    const share = this.#share(partition)
    const others = shares.filter(([other]) => other !== partition)
    const begun = claim === undefined ? share.time : claim.time + this.#router.now() - this.#begun
    const until = begun + this.#limits.transactionMsMax
    const transaction: TransactionName = { id: this.#router.newName(), coordinator: partition, until }
    const partitions = others.map(([other]) => other)
    if (partitions.length > 0) await this.#prepare(transaction, others)
    try {
      await this.#ask(partition, { kind: 'commit', transaction, part: partOf(share), partitions, claim: claim?.name })
    } catch (error) {
      if (partitions.length === 0) throw error
      if (!(await this.#wasCommitted(transaction, error))) {
        void this.#tell(transaction, partitions, false)
        throw error
      }
    }
    if (partitions.length > 0) void this.#tell(transaction, partitions, true)
  }

  /**
   * Whether a commit that ended with an error is one. A conflict is the partition's kept answer; after any other error a
   * copy of the commit may still be on its way, and only the coordinator can say that there will be none (TX4).
   */
  async #wasCommitted(transaction: TransactionName, error: unknown): Promise<boolean> {
    if (isPlenumError(error, 'TRANSACTION_CONFLICT')) return false
    try {
      return (
        (await this.#router.send(
          transaction.coordinator,
          { kind: 'inquire', transaction },
          this.#router.atMost({}, this.#limits.transactionMsMax),
        )) === true
      )
    } catch {
      // The participants ask for themselves.
      throw isPlenumError(error, 'UNKNOWN_OUTCOME') ? error : unknownCommit(error)
    }
  }

  /** Has all others hold what they need; if one cannot, none does. */
  async #prepare(transaction: TransactionName, others: readonly (readonly [number, Share])[]): Promise<void> {
    const prepared = await Promise.allSettled(
      others.map(([partition, share]) => this.#ask(partition, { kind: 'prepare', transaction, part: partOf(share) })),
    )
    const failed = prepared.find(({ status }) => status === 'rejected')
    if (failed?.status !== 'rejected') return
    const partitions = others.map(([partition]) => partition)
    void this.#tell(transaction, partitions, false)
    const error: unknown = failed.reason
    // Without the commit it is certain that nothing happened.
    if (!isPlenumError(error, 'UNKNOWN_OUTCOME')) throw error
    const message = `A participant had not answered yet, so nothing happened: ${error.message}`
    if (error.details['cause'] === 'ABORTED') throw new PlenumError('ABORTED', message, { cause: error })
    // A worker whose commit ends so has not failed: a partition is out of reach.
    throw new PlenumError('TIMEOUT', message, { retry: 'same', cause: error })
  }

  /** Tells the participants what became of it; whom this does not reach asks the coordinator. */
  async #tell({ id, coordinator }: TransactionName, partitions: readonly number[], committed: boolean): Promise<void> {
    const patience = this.#router.atMost({}, this.#limits.transactionMsMax)
    const command: Command = { kind: 'outcome', transaction: id, committed }
    try {
      await Promise.all(partitions.map((partition) => this.#router.send(partition, command, patience)))
      if (committed && partitions.length > 0)
        await this.#router.send(coordinator, { kind: 'informed', transaction: id, partitions }, patience)
    } catch {
      // The partitions find out by themselves.
    }
  }

  /** What is seen at several moments counts if it is all there at one: after the last read (I2). */
  async #validate(): Promise<void> {
    const shares = [...this.#shares].filter(([, { drafts }]) => drafts > 0)
    const [only, another] = shares
    if (another === undefined && (only?.[1].drafts ?? 0) <= 1) return
    await Promise.all(
      shares.map(([partition, share]) => this.#ask(partition, { kind: 'validate', seen: seenOf(share) })),
    )
  }

  #ask(partition: number, command: Command): Promise<unknown> {
    return this.#router.send(partition, command, this.#within(undefined))
  }

  /** The options of one request: what is left of the transaction's time. */
  #within(options: RouteOptions | undefined): RouteOptions | undefined {
    const signal = options?.signal ?? this.#signal
    const asked = options?.timeoutMs
    const left = this.#deadline === undefined ? undefined : Math.max(1, this.#deadline - this.#router.now())
    const timeoutMs = asked === undefined ? left : Math.min(asked, left ?? asked)
    return this.#router.atMost({ timeoutMs, signal }, this.#limits.transactionMsMax)
  }

  #checkTime(): void {
    if (this.#isOver)
      throw new PlenumError('TRANSACTION_INVALID', 'The transaction is over; nothing more goes into it.')
    if (this.#router.now() > this.#until) throw tooLong(this.#limits)
  }
}

function partOf(share: Share): { readonly seen: Seen; readonly commands: readonly WriteCommand[] } {
  return { seen: seenOf(share), commands: share.made.all }
}

function seenOf({ entries, queries }: Share): Seen {
  return { entries, queries }
}

function isData(command: Command): command is DataCommand {
  switch (command.kind) {
    case 'get':
    case 'read':
    case 'readAll':
    case 'count':
    case 'aggregate':
      return true
    default:
      return isChange(command)
  }
}

function gaveUp(cause: PlenumError, attempts: number): PlenumError {
  return new PlenumError(
    'TRANSACTION_CONFLICT',
    `${cause.message} It was run ${attempts} times. Run it again later, or have it touch less.`,
    { cause, retry: 'same', details: { ...cause.details, attempts } },
  )
}

function tooMany({ transactionCommandsMax: value }: Limits): PlenumError {
  return new PlenumError('LIMIT_EXCEEDED', `A transaction may make ${value} changes at one partition.`, {
    details: { limit: 'transactionCommandsMax', value },
  })
}

function tooMuchSeen({ transactionReadsMax: value }: Limits): PlenumError {
  return new PlenumError('LIMIT_EXCEEDED', `A transaction may look at ${value} entries and queries.`, {
    details: { limit: 'transactionReadsMax', value },
  })
}

function tooLong({ transactionMsMax: value }: Limits): PlenumError {
  return new PlenumError('LIMIT_EXCEEDED', `A transaction may take ${value} ms. Nothing happened.`, {
    details: { limit: 'transactionMsMax', value },
  })
}

function unknownCommit(cause: unknown): PlenumError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new PlenumError('UNKNOWN_OUTCOME', `Nobody knows whether the transaction was committed: ${why} Look.`, {
    cause,
  })
}
