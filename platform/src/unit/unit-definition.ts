import { PlenumError } from '../kernel/index.ts'
import { definitionOf, type AnyEntry, type EntryDefinition } from '../space/index.ts'
import { HandlerDefinition } from './handler.ts'
import { ProjectionDefinition } from './projection.ts'
import { ScheduleDefinition } from './schedule.ts'
import { ServiceDefinition } from './service.ts'
import { SinkDefinition } from './sink.ts'
import { SourceDefinition } from './source.ts'
import { TaskDefinition } from './task.ts'
import { WorkerDefinition } from './worker.ts'

/** Something that a constructor of a part returned. */
interface Part {
  readonly kind: string
  readonly '~': unknown
}
type Section = Readonly<Record<string, Part>>

/** What a unit needs before its parts can be typed. */
export interface UnitNeeds {
  readonly entries: readonly AnyEntry[]
  readonly uses?: Readonly<Record<string, { readonly kind: string }>>
}

/** The parts of a unit, by section. */
export interface UnitSections {
  readonly handlers?: Section
  readonly workers?: Section
  readonly services?: Section
  readonly tasks?: Section
  readonly projections?: Section
  readonly schedules?: Section
  readonly sources?: Section
  readonly sinks?: Section
}

const sections: ReadonlySet<string> = new Set([
  'handlers',
  'workers',
  'services',
  'tasks',
  'projections',
  'schedules',
  'sources',
  'sinks',
] satisfies readonly (keyof UnitSections)[])

/** A unit as the platform uses it: its declaration, checked once. */
export class UnitDefinition {
  readonly name: string
  readonly entries: ReadonlyMap<string, EntryDefinition>
  /** Names of the ports. */
  readonly uses: readonly string[]
  readonly handlers: ReadonlyMap<string, HandlerDefinition>
  readonly workers: ReadonlyMap<string, WorkerDefinition>
  readonly services: ReadonlyMap<string, ServiceDefinition>
  readonly tasks: ReadonlyMap<string, TaskDefinition>
  readonly projections: ReadonlyMap<string, ProjectionDefinition>
  readonly schedules: ReadonlyMap<string, ScheduleDefinition>
  readonly sources: ReadonlyMap<string, SourceDefinition>
  readonly sinks: ReadonlyMap<string, SinkDefinition>

  /** Throws UNIT_INVALID with what is wrong and where. */
  constructor(name: string, needs: UnitNeeds, parts: UnitSections) {
    checkName(name, 'a unit')
    // A unit of plain JavaScript has no compiler that asks for these.
    const entries: unknown = (needs as Partial<UnitNeeds> | undefined)?.entries
    if (!Array.isArray(entries))
      throw invalid(name, 'needs `entries`, a list of its entry types: unit(name, { entries: […] }, { … })')
    for (const section of Object.keys(parts)) {
      if (!sections.has(section))
        throw invalid(name, `has no section '${section}'. There are: ${[...sections].join(', ')}`)
    }
    this.name = name
    this.entries = readEntries(name, needs.entries)
    this.uses = readPorts(name, needs.uses ?? {})
    this.handlers = read(name, 'handler', parts.handlers, HandlerDefinition)
    this.workers = read(name, 'worker', parts.workers, WorkerDefinition)
    this.services = read(name, 'service', parts.services, ServiceDefinition)
    this.tasks = read(name, 'task', parts.tasks, TaskDefinition)
    this.projections = read(name, 'projection', parts.projections, ProjectionDefinition)
    this.schedules = read(name, 'schedule', parts.schedules, ScheduleDefinition)
    this.sources = read(name, 'source', parts.sources, SourceDefinition)
    this.sinks = read(name, 'sink', parts.sinks, SinkDefinition)
    for (const [part, { entry }] of this.workers) this.#checkEntry(`worker '${part}'`, entry)
    for (const [part, { entry }] of this.sources) this.#checkEntry(`source '${part}'`, entry)
    for (const [part, { of }] of this.projections)
      for (const entry of of) this.#checkEntry(`projection '${part}'`, entry)
    for (const [part, { of }] of this.sinks) for (const entry of of) this.#checkEntry(`sink '${part}'`, entry)
    Object.freeze(this)
  }

  #checkEntry(part: string, entry: string): void {
    if (this.entries.has(entry)) return
    throw invalid(this.name, `has a ${part} of the entry type '${entry}', which is not among its entries`)
  }
}

function readEntries(unit: string, types: readonly AnyEntry[]): ReadonlyMap<string, EntryDefinition> {
  const entries = new Map<string, EntryDefinition>()
  for (const type of types) {
    const definition = definitionOf(type)
    if (entries.has(definition.name)) throw invalid(unit, `has two entry types '${definition.name}'`)
    entries.set(definition.name, definition)
  }
  return entries
}

function readPorts(unit: string, uses: NonNullable<UnitNeeds['uses']>): readonly string[] {
  return Object.entries(uses).map(([name, { kind }]) => {
    checkName(name, 'a port')
    if (kind !== 'port')
      throw invalid(unit, `uses '${name}', which is not a port(); what it is comes from the composition`)
    return name
  })
}

function read<T>(
  unit: string,
  kind: string,
  section: Section | undefined,
  Definition: new (...rest: never) => T,
): ReadonlyMap<string, T> {
  const read = new Map<string, T>()
  for (const [name, part] of Object.entries(section ?? {})) {
    checkName(name, `a ${kind}`)
    const definition = part['~']
    if (!(definition instanceof Definition)) {
      throw invalid(
        unit,
        `has '${name}' among its ${kind}s, which is not what ${kind}(…) of this copy of plenum returned`,
      )
    }
    read.set(name, definition)
  }
  return read
}

function checkName(name: string, what: string): void {
  if (/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) return
  throw new PlenumError(
    'UNIT_INVALID',
    `${JSON.stringify(name)} cannot name ${what}: a name begins with a letter and has letters, digits, '-' and '_', 64 at most.`,
    { details: { name } },
  )
}

function invalid(unit: string, what: string): PlenumError {
  return new PlenumError('UNIT_INVALID', `Unit '${unit}' ${what}.`, { details: { unit } })
}
