// The composition for whoever writes a unit: the journals, the router and the clients stay, the unit runs in threads
// that are replaced when a file that it imports changes.
//
// I1 The unit of before serves until the next one has loaded and fits what the journal holds; calls wait meanwhile, and
//    none fails (DV1). What does not load, or does not fit, changes nothing (DV2).
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkOptions, usage, type EmbeddedEvent, type EmbeddedProgress, type Options } from './embedded-options.ts'
import { openJournals, type Journals } from './embedded-journals.ts'
import { newIds } from './embedded-partitions.ts'
import { limitsOnThreads, newThreads } from './embedded-threads.ts'
import { checkedLimits, defaultLimits, PlenumError, type Limits } from './kernel/index.ts'
import { Router, SpaceClient, type ClientType, type PartitionChannel } from './router/index.ts'
import { FileWatch, freshAddress, freshImports, nodeRuntime } from './runtime/node/index.ts'
import type { Threads } from './threads/index.ts'
import {
  loadUnitFile,
  resolveUnit,
  unfilled,
  UnitClient,
  WorkerHost,
  type Client,
  type ResolvedUnit,
  type Unit,
  type WorkerEvent,
} from './unit/index.ts'

/** What happened to the unit's code: it was replaced, or it was not and why. */
export type DevelopEvent =
  | EmbeddedEvent['event']
  | { readonly kind: 'reloaded'; readonly files: readonly string[]; readonly ms: number }
  | { readonly kind: 'reload-refused'; readonly files: readonly string[]; readonly error: unknown }

export interface DevelopOptions {
  /** Address or path of the file whose default export is the unit. */
  readonly unit: URL | string
  readonly partitions?: number | undefined
  readonly journal?: Options['journal']
  readonly folder?: string | undefined
  readonly ack?: Options['ack']
  /** Threads that the partitions run on; 1 unless told. */
  readonly threads?: number | undefined
  /** What the unit uses from outside; what is left out is the export `uses` of its file. */
  readonly uses?: Readonly<Record<string, unknown>> | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly onProgress?: ((progress: EmbeddedProgress) => void) | undefined
  readonly onEvent?:
    | ((told: { readonly partition: number | undefined; readonly event: DevelopEvent }) => void)
    | undefined
  /** Wraps the way to each partition, to count what goes through it. */
  readonly through?: ((channel: PartitionChannel) => PartitionChannel) | undefined
}

/** A unit under development: a client that stays, whatever becomes of the code. */
export interface Development<U extends Unit> extends AsyncDisposable {
  readonly client: Client<U>
  /** The unit's name. */
  readonly name: string
  /** The files that are watched. */
  readonly files: readonly string[]
  /** Loads the unit's file again at once. Throws why it cannot; the code of before goes on then. */
  reload(): Promise<void>
}

/** Milliseconds that workers of before may take to finish what they do. */
const drainMsMax = 1_000

/**
 * Runs the unit of a file, and replaces it when that file, or one that it imports, changes. Throws the errors of
 * `embedded`, and UNIT_NOT_LOADED.
 *
 * @example
 * await using bank = await develop<typeof bank>({ unit: new URL('bank.ts', import.meta.url) })
 * await bank.client.handlers.deposit({ account: 'ann', amount: 5 })
 */
export async function develop<U extends Unit>(options: DevelopOptions): Promise<Development<U>>
export async function develop(options: DevelopOptions): Promise<unknown> {
  const application = new Application(options)
  await application.open()
  return application
}

/** A unit that was loaded on this thread. */
interface Loaded {
  readonly unit: ResolvedUnit
  /** What it uses from outside: given, or the export of its file. */
  readonly uses: Readonly<Record<string, unknown>>
}

/** The unit as it is now. */
interface Present extends Loaded {
  readonly client: UnitClient
  readonly host: WorkerHost
}

class Application {
  readonly client: object
  readonly #options: DevelopOptions
  readonly #address: string
  readonly #runtime = nodeRuntime()
  readonly #limits: Limits
  /** The entry types of the present unit, under the names that the client's space looks for. */
  readonly #types = new Map<string, ClientType>()
  readonly #hooks = freshImports()
  readonly #watch = new FileWatch((files) => void this.#onChange(files))
  #found = new Set<string>()
  #loads = 0
  #present: Present | undefined
  #journals: Journals | undefined
  #threads: Threads | undefined
  #router: Router | undefined
  #reloading: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: DevelopOptions) {
    this.#options = options
    this.#address = addressOf(options.unit)
    this.#limits = limitsOnThreads(checkedLimits({ ...defaultLimits, ...options.limits }))
    this.client = this.#newClient()
  }

  get name(): string {
    return this.#present?.unit.name ?? ''
  }

  get files(): readonly string[] {
    return [...this.#found].map((file) => fileURLToPath(file)).toSorted()
  }

  async open(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  reload(): Promise<void> {
    return this.#inTurn()
  }

  /** Closes in order, once. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#watch.close()
    await this.#reloading
    await this.#present?.host.close()
    await this.#threads?.close()
    await this.#journals?.close()
    this.#hooks[Symbol.dispose]()
  }

  async #open(): Promise<void> {
    const runtime = this.#runtime
    const { unit: _unit, uses: _uses, through, threads = 1, onEvent, ...given } = this.#options
    const loaded = await this.#load()
    const { unit } = loaded
    const options: Options = { ...given, unit: loaded.declared, threads, module: this.#address, onEvent }
    checkOptions(options)
    this.#journals = await openJournals(options, unit.name, runtime)
    const parts = { threads, runtime, limits: this.#limits, development: true, journals: this.#journals }
    this.#threads = newThreads(options, { ...parts, onFile: (found) => this.#found.add(found) })
    await this.#threads.start(this.#address, unit.hash)
    const { channels } = this.#threads
    this.#router = new Router(through === undefined ? channels : channels.map(through), runtime, this.#limits)
    this.#begin(loaded)
    this.#watch.watch(this.files)
  }

  /** Loads the unit's file here, anew, for what runs on this thread: workers, schedules, sources, reducers. */
  async #load(): Promise<Loaded & { readonly declared: Unit }> {
    this.#loads += 1
    const address = freshAddress(this.#address, String(this.#loads))
    const file = await loadUnitFile(address, fileURLToPath(this.#address))
    const unit = resolveUnit(file.definition, { runtime: this.#runtime, limits: this.#limits, checkAll: true })
    const uses = { ...file.uses, ...this.#options.uses }
    const missing = unfilled(file.definition.uses, uses)
    if (missing !== undefined) {
      throw usage(
        `unit '${unit.name}' uses '${missing}': export what fills that port from its file in \`uses\`, or give it`,
        missing,
      )
    }
    return { declared: file.unit, unit, uses }
  }

  /** The client, workers and schedules of a unit, in the place of those of before. */
  #begin({ unit, uses }: Loaded): void {
    const router = this.#router!
    this.#types.clear()
    for (const [name, type] of unit.types) this.#types.set(name, type)
    const runtime = this.#runtime
    const limits = { ...this.#limits, drainMsMax: Math.min(this.#limits.drainMsMax, drainMsMax) }
    const newId = newIds(runtime)
    const space = this.#present?.client.space ?? new SpaceClient(router, this.#types, limits, newId)
    const onEvent = (event: WorkerEvent): void => this.#tell(event)
    const host = new WorkerHost(unit, { router, space, uses, limits, runtime, onEvent })
    const caller = { kind: 'unit', subject: unit.name, claims: {} } as const
    const close = (): Promise<void> => this[Symbol.asyncDispose]()
    const client = new UnitClient({ unit, router, limits, uses, newId, caller, host, space, close })
    this.#present = { unit, uses, client, host }
    host.start()
  }

  async #onChange(files: readonly string[]): Promise<void> {
    const began = this.#runtime.clock.monotonic()
    try {
      await this.#inTurn()
      this.#tell({ kind: 'reloaded', files, ms: this.#runtime.clock.monotonic() - began })
    } catch (error) {
      this.#tell({ kind: 'reload-refused', files, error })
    }
  }

  /** One reload after the other. */
  async #inTurn(): Promise<void> {
    const before = this.#reloading
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#reloading = promise
    try {
      await before
      if (this.#closing === undefined) await this.#replace()
    } finally {
      resolve()
    }
  }

  async #replace(): Promise<void> {
    const before = this.#found
    const present = this.#present!
    this.#found = new Set()
    let next: Loaded | undefined
    let isDrained = false
    try {
      await this.#threads!.replace(this.#address, async ({ hash }) => {
        next = await this.#load()
        if (next.unit.name !== present.unit.name) throw renamed(present.unit.name, next.unit.name)
        if (next.unit.hash !== hash) throw changedMeanwhile(this.#address)
        isDrained = true
        await present.host.close()
      })
    } catch (error) {
      // What did not load may have found less than it imports.
      for (const file of before) this.#found.add(file)
      if (isDrained) this.#begin(present)
      throw error
    } finally {
      this.#watch.watch(this.files)
    }
    if (next !== undefined) this.#begin(next)
  }

  #tell(event: DevelopEvent): void {
    this.#options.onEvent?.({ partition: undefined, event })
  }

  /** A client whose parts are those of the present unit, and whose space stays. */
  #newClient(): object {
    const present = (): UnitClient => this.#present!.client
    const close = (): Promise<void> => this[Symbol.asyncDispose]()
    return {
      get partitions() {
        return present().partitions
      },
      get space() {
        return present().space
      },
      get handlers() {
        return present().handlers
      },
      get services() {
        return present().services
      },
      get tasks() {
        return present().tasks
      },
      get sources() {
        return present().sources
      },
      get workers() {
        return present().workers
      },
      get schedules() {
        return present().schedules
      },
      get messages() {
        return present().messages
      },
      [Symbol.asyncDispose]: close,
    }
  }
}

/** The address of a file that is named by its address or its path. */
function addressOf(file: URL | string): string {
  if (file instanceof URL) return file.href
  if (typeof file === 'string' && file !== '') return file.startsWith('file:') ? file : pathToFileURL(file).href
  throw usage("develop takes the file of a unit: its path, or new URL('bank.ts', import.meta.url)", 'unit')
}

function renamed(before: string, after: string): PlenumError {
  return new PlenumError(
    'UNIT_MISMATCH',
    `The unit's name has changed from '${before}' to '${after}', and with it the application: start it anew.`,
    { details: { unit: before, found: after } },
  )
}

function changedMeanwhile(address: string): PlenumError {
  return new PlenumError('UNIT_MISMATCH', `The file ${address} has changed while it was loaded. It is loaded again.`, {
    details: { module: address },
  })
}
