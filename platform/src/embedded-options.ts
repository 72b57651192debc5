import { defaultLimits, PlenumError, type Limits } from './kernel/index.ts'
import type { LogEvent } from './journal/file/index.ts'
import type { PartitionEvent } from './partition/index.ts'
import type { Log, LogLevel } from './runtime/index.ts'
import type { SeatEvent } from './threads/index.ts'
import { isUnit, type Unit, type UsesOption, type WorkerEvent } from './unit/index.ts'

/** How far the start is: what it does, and its share from 0 to 1. */
export interface EmbeddedProgress {
  readonly step: 'reading' | 'recovering' | 'upgrading'
  readonly share: number
}

/**
 * A function of the unit threw something that it did not declare, which callers do not see; a worker's last attempt at an
 * entry has failed; or a function held up its partition for longer than `slowStretchMs`, at least so many milliseconds (UN5).
 */
export type UnitEvent = WorkerEvent | { readonly kind: 'slow'; readonly part: string; readonly ms: number }

/** Something that happened to a partition, the folder, the unit or a thread (A9). */
export interface EmbeddedEvent {
  /** Undefined for what concerns all, such as a torn tail that was cut, or a function that was slow. */
  readonly partition: number | undefined
  readonly event: PartitionEvent | LogEvent | UnitEvent | SeatEvent
}

export type EmbeddedOptions<U extends Unit> = UsesOption<U> & {
  readonly unit: U
  /** Number of partitions; fixed for the life of a folder. 4 in a new folder. */
  readonly partitions?: number | undefined
  /** Where the journal lives; `'memory'` keeps nothing beyond the process. `.plenum/<unit>` if left out. */
  readonly journal?: 'memory' | { readonly folder: string; readonly bytesMax?: number | undefined } | undefined
  /** The same as `journal: { folder }`. */
  readonly folder?: string | undefined
  /** What an ack means: `disk` survives a power cut, `os` a kill, `memory` nothing. `disk` with a folder. */
  readonly ack?: 'memory' | 'os' | 'disk' | undefined
  /** Shows callers what handlers threw, checks co-located values, and catches impurity. On unless NODE_ENV is production. */
  readonly development?: boolean | undefined
  /** Whether the unit's workers and schedules run in this process. They do if left out. */
  readonly workers?: boolean | undefined
  /** Keeps each call of a handler in the journal, so that `plenum replay` can make it again. No if left out: it takes room. */
  readonly record?: boolean | undefined
  /**
   * Where events and the lines of the unit's functions are logged: a logger of pino, or what has its four methods, or a
   * level, which is JSON on the standard output. Nothing is logged if left out.
   */
  readonly log?: Log | LogLevel | undefined
  /** Whether anything is counted, and slow operations are told. It is if left out. */
  readonly metrics?: boolean | undefined
  /**
   * Threads that the partitions run on, beside this one; no more than there are partitions. Left out, they run on this
   * thread. Functions cannot be sent to a thread, so that it needs `module`.
   */
  readonly threads?: number | undefined
  /** Address of the file whose default export is the unit: `new URL('bank.ts', import.meta.url)`. With `threads`. */
  readonly module?: URL | string | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly onProgress?: ((progress: EmbeddedProgress) => void) | undefined
  readonly onEvent?: ((event: EmbeddedEvent) => void) | undefined
}

/** The part of the options that does not depend on the unit's type. */
export type Options = Omit<EmbeddedOptions<Unit>, 'uses'> & { readonly uses?: Readonly<Record<string, unknown>> }

/** USAGE or ACK_LEVEL_UNAVAILABLE for options that types would refuse, or that contradict each other. */
export function checkOptions(options: Options): void {
  if (!isUnit((options as Partial<Options> | undefined)?.unit)) {
    throw usage('`unit` is what unit(…) of this copy of plenum returned; give one, as in embedded({ unit })', 'unit')
  }
  const { partitions, ack, limits } = options
  if (partitions !== undefined && !(Number.isInteger(partitions) && partitions >= 1 && partitions <= partitionsMax)) {
    throw usage(`partitions is a whole number from 1 to ${partitionsMax}, not ${partitions}`, 'partitions')
  }
  checkJournal(options)
  for (const name of ['workers', 'record', 'metrics'] as const) {
    const given = options[name]
    if (given !== undefined && typeof given !== 'boolean')
      throw usage(`${name} is true or false, not ${String(given)}`, name)
  }
  checkLog(options.log)
  checkThreads(options)
  for (const [name, value] of Object.entries(limits ?? {})) {
    if (!(name in defaultLimits)) throw usage(`there is no limit '${name}'`, name)
    if (!(typeof value === 'number' && value > 0))
      throw usage(`the limit ${name} is a positive number, not ${String(value)}`, name)
  }
  if (ack === undefined || ['memory', 'os', 'disk'].includes(ack)) return
  throw new PlenumError('ACK_LEVEL_UNAVAILABLE', `One process gives 'memory', 'os' or 'disk', not '${String(ack)}'.`, {
    details: { asked: ack },
  })
}

const logLevels = ['debug', 'info', 'warn', 'error'] as const

function checkLog(log: Options['log']): void {
  if (log === undefined || logLevels.some((level) => level === log)) return
  if (typeof log === 'object' && logLevels.every((level) => typeof (log as Partial<Log>)[level] === 'function')) return
  const given = typeof log === 'string' ? `'${log}'` : 'this'
  throw usage(`log is one of ${logLevels.join(', ')}, or a logger with these four methods, not ${given}`, 'log')
}

function checkThreads({ threads, module, journal }: Options): void {
  if (threads === undefined) {
    if (module !== undefined) throw usage('module is where threads load the unit from: give `threads` too', 'module')
    return
  }
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= threadsMax))
    throw usage(`threads is a whole number from 1 to ${threadsMax}, not ${String(threads)}`, 'threads')
  if (typeof journal === 'object' && journal.bytesMax !== undefined) {
    throw new PlenumError(
      'NOT_AVAILABLE_YET',
      'A bound on the bytes of the journal (bytesMax) is not kept well enough yet where partitions run on threads. Leave out one of the two.',
      { details: { option: 'bytesMax' } },
    )
  }
  const isAddress = module instanceof URL || (typeof module === 'string' && URL.canParse(module))
  if (!isAddress)
    throw usage(
      "threads load the unit from its file: give its address, as in `module: new URL('bank.ts', import.meta.url)`",
      'module',
    )
}

/** Without a check, an empty name is the root of the file system, and nothing is a folder called `undefined`. */
function checkJournal({ journal, folder }: Options): void {
  if (journal !== undefined && folder !== undefined)
    throw usage('journal and folder are two ways to say one thing: give one', 'folder')
  if (folder !== undefined && !isPath(folder)) throw usage('folder is the path of a folder', 'folder')
  if (journal === undefined || journal === 'memory') return
  if (!isPath((journal as { readonly folder?: unknown }).folder))
    throw usage("journal is 'memory' or { folder } with the path of a folder", 'journal')
  const { bytesMax } = journal
  if (bytesMax !== undefined && !(typeof bytesMax === 'number' && bytesMax >= bytesMaxMin))
    throw usage(`bytesMax is a number of bytes, at least ${bytesMaxMin}, not ${String(bytesMax)}`, 'bytesMax')
}

/** Smaller journals are full before a snapshot can be taken and the journal be cut. */
const bytesMaxMin = 8 << 20

function isPath(path: unknown): boolean {
  return typeof path === 'string' && path !== ''
}

/** More than any machine has cores. */
const threadsMax = 1_024

/** As many as one process serves; more only cost. */
const partitionsMax = 1_024

/** The error for an option that cannot be; `what` is a sentence without its end. */
export function usage(what: string, option: string): PlenumError {
  return new PlenumError('USAGE', `embedded(…): ${what}.`, { details: { option } })
}
