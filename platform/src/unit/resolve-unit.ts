import { PlenumError, type ErrorDetails, type Limits } from '../kernel/index.ts'
import { ByteWriter, writeValue } from '../codec/index.ts'
import type { ClientType } from '../router/index.ts'
import type { Runtime } from '../runtime/index.ts'
import {
  copyPlain,
  patchPlain,
  validateAny,
  validateValue,
  whyNoPath,
  type EntryDefinition,
  type Layout,
  type Rules,
  type StoredValue,
} from '../space/index.ts'
import { UnitEntryUpgrade, upgradeLabel } from './entry-upgrade.ts'
import type { SourcePart } from './source-loader.ts'
import type { UnitDefinition } from './unit-definition.ts'
import type { ServicePart, TaskPart } from './beside-data.ts'
import type { HandlerPart, UnitParts } from './unit-logic.ts'
import { scheduleWorkName, workParts } from './work-parts.ts'

/** How a unit is resolved. */
export interface ResolveOptions {
  readonly runtime: Runtime
  readonly limits: Limits
  /** Check values of co-located code against their schemas too: for development and tests. */
  readonly checkAll: boolean
}

/** A unit, resolved once from its declaration into what partitions and clients work with. */
export interface ResolvedUnit extends UnitParts {
  readonly types: ReadonlyMap<string, ClientType>
  readonly sources: ReadonlyMap<string, SourcePart>
  readonly reduces: ReadonlyMap<string, (left: unknown, right: unknown) => unknown>
  /** Names of all functions that run beside the data, as errors name them. */
  readonly functions: readonly string[]
}

/** NOT_AVAILABLE_YET if the unit has parts that this version does not run, LIMIT_EXCEEDED for too many indexes. */
export function resolveUnit(definition: UnitDefinition, options: ResolveOptions): ResolvedUnit {
  refuseWhatIsMissing(definition)
  refuseForgottenSources(definition)
  refuseUnclaimable(definition)
  refuseUnfoldable(definition)
  checkIndexes(definition, options.limits)
  const layouts = new Map<string, Layout>()
  const rules = new Map<string, Rules>()
  const types = new Map<string, ClientType>()
  const upgrades = new Map<string, UnitEntryUpgrade>()
  const keyed = new Map<string, string>()
  for (const [name, entry] of definition.entries) {
    const schema = digestOf(plainJson(entry.checked.json), options.runtime)
    const layout = shapedLayout(entry, schema)
    if (entry.durable) upgrades.set(name, new UnitEntryUpgrade(entry, schema))
    const idField = entry.keys === 'given' ? undefined : entry.id[0]
    layouts.set(name, layout)
    const together = options.checkAll || entry.validateAlways || entry.open || entry.checked.shape.members.length > 1
    rules.set(name, {
      admit: admitOf(entry, options.checkAll),
      patched: together ? undefined : (value, fields) => patchPlain(entry.checked, value, fields),
      checkPath: (path) => whyNoPath(entry.checked.shape, path),
      leaseMs: entry.leaseMs,
    })
    types.set(name, { layout, keyed: idField })
    if (idField !== undefined) keyed.set(name, idField)
  }
  return {
    name: definition.name,
    hash: hashOf(definition, options.runtime),
    layouts: [...layouts.values()],
    upgrades,
    rules,
    types,
    keyed,
    handlers: new Map([...definition.handlers].map(([name, part]) => [name, handlerPart(name, part)])),
    tasks: new Map([...definition.tasks].map(([name, part]) => [name, taskPart(name, part)])),
    services: new Map([...definition.services].map(([name, part]) => [name, servicePart(name, part)])),
    reduces: new Map([...definition.tasks].map(([name, part]) => [name, part.reduce])),
    workers: workParts(definition, layouts, rules, options.limits),
    schedules: [...definition.schedules].map(([name, { missed, dueTimes }]) => ({
      name,
      worker: scheduleWorkName(name),
      missed,
      next: (after) => dueTimes.next(after),
      last: (after, until) => dueTimes.last(after, until),
    })),
    projections: [...definition.projections].map(([name, part]) => ({
      name,
      label: `projection ${name}`,
      token: part,
      definition: part,
      checkSaved: options.checkAll,
    })),
    sinks: [...definition.sinks].map(([name, part]) => ({ name, definition: part })),
    sources: new Map([...definition.sources].map(([name, part]) => [name, sourcePart(name, part, layouts)])),
    functions: [
      ...[...definition.handlers.keys()].map((name) => `handler ${name}`),
      ...[...definition.tasks.keys()].map((name) => `task ${name}`),
      ...[...definition.projections.keys()].map((name) => `projection ${name}`),
      ...[...definition.entries].flatMap(([name, entry]) => (entry.upgrades.length > 0 ? [upgradeLabel(name)] : [])),
    ],
  }
}

/** What is declared and would be ignored, so that data was lost or read in an old shape without a word. */
function refuseWhatIsMissing(definition: UnitDefinition): void {
  for (const [name, { keys }] of definition.entries) {
    const details = { section: 'entries', name }
    if (keys === 'sequence' || keys === 'sharded')
      throw notYet(definition, `keys '${keys}' of the entry type '${name}'`, 'it', { ...details, option: 'keys' })
  }
  for (const [name, { get }] of definition.sources) {
    const details = { section: 'sources', name, option: 'get' }
    if (get !== undefined) throw notYet(definition, `get of the source '${name}'`, 'it', details)
  }
}

/** That a source was loaded is journaled; its rows would not be. */
function refuseForgottenSources({ name: unit, entries, sources }: UnitDefinition): void {
  for (const [name, { entry }] of sources) {
    if (entries.get(entry)?.durable !== false) continue
    throw new PlenumError(
      'UNIT_INVALID',
      `Unit '${unit}' loads the source '${name}' into the entry type '${entry}', which is not durable: the rows would be gone after a restart, and the load would not be repeated.`,
      { details: { section: 'sources', name } },
    )
  }
}

/** A worker's commit is a transaction, at the partition of its entry. */
function refuseUnclaimable({ name: unit, entries, workers }: UnitDefinition): void {
  for (const [name, { entry }] of workers) {
    const { durable, everywhere } = entries.get(entry)!
    if (durable && !everywhere) continue
    throw new PlenumError(
      'UNIT_INVALID',
      `Unit '${unit}' has a worker '${name}' of the entry type '${entry}', which ${durable ? 'every partition has' : 'is not durable'}: nobody can claim it. Give the work an entry type of its own.`,
      { details: { section: 'workers', name } },
    )
  }
}

/** What is not journaled is not folded. */
function refuseUnfoldable({ name: unit, entries, projections, sinks }: UnitDefinition): void {
  const parts = [
    ...[...projections].map((part) => ['projection', ...part] as const),
    ...[...sinks].map((part) => ['sink', ...part] as const),
  ]
  for (const [kind, name, { of }] of parts) {
    const type = of.find((one) => entries.get(one)?.durable === false)
    if (type === undefined) continue
    throw new PlenumError(
      'UNIT_INVALID',
      `Unit '${unit}' has a ${kind} '${name}' of the entry type '${type}', which is not durable: the journal, from which a ${kind} is fed, does not have it.`,
      { details: { section: `${kind}s`, name } },
    )
  }
}

function checkIndexes({ entries }: UnitDefinition, { indexesMax }: Limits): void {
  for (const [name, { indexes }] of entries) {
    if (indexes.length <= indexesMax) continue
    throw new PlenumError(
      'LIMIT_EXCEEDED',
      `Entry type '${name}' declares ${indexes.length} indexes, and may have ${indexesMax}. Leave out those that no query uses.`,
      { details: { limit: 'indexesMax', value: indexesMax, found: indexes.length, type: name } },
    )
  }
}

function notYet(definition: UnitDefinition, what: string, whole: string, details: ErrorDetails): PlenumError {
  return new PlenumError(
    'NOT_AVAILABLE_YET',
    `Unit '${definition.name}' declares ${what}, which this version of Plenum does not run yet. Leave ${whole} out.`,
    { details },
  )
}

function layoutOf(entry: EntryDefinition): Layout {
  return Object.freeze({
    name: entry.name,
    fields: entry.fieldNames,
    open: entry.open,
    id: entry.id,
    route: entry.route,
    indexes: entry.indexes,
    ...(entry.fifo === undefined ? {} : { fifo: entry.fifo }),
    ...(entry.everywhere ? ({ everywhere: true } as const) : {}),
    ...(entry.durable ? {} : ({ durable: false } as const)),
  })
}

/** The layout with the shape that entries have under this unit (UN10). */
function shapedLayout(entry: EntryDefinition, hash: string): Layout {
  const shape = { shapes: [entry.upgrades.length], schema: { hash, fields: entry.fieldNames } }
  return Object.freeze({ ...layoutOf(entry), ...(entry.durable ? shape : {}) })
}

/** Whether a write comes from outside or from a handler, a schema that fills in fields always runs. */
function admitOf(entry: EntryDefinition, checkAll: boolean): Rules['admit'] {
  const { checked } = entry
  const validated = (value: StoredValue): StoredValue =>
    validateValue(checked, value, { unfrozen: true, checkStable: checkAll })
  const copied = (value: StoredValue): StoredValue => copyPlain(checked, value, { unfrozen: true })
  return (value, trusted) => (trusted && !checkAll && !entry.validateAlways ? copied(value) : validated(value))
}

function handlerPart(name: string, part: ReturnType<UnitDefinition['handlers']['get']> & {}): HandlerPart {
  const options = { subject: `The input of handler ${name}` }
  return {
    name,
    label: `handler ${name}`,
    routeField: part.route,
    token: part,
    admit: (input) => validateValue(part.input, input, options),
    admitRefusal(reason, data) {
      const schema = part.refusals.get(reason)
      if (schema !== undefined) return validateAny(schema, data)
      throw new PlenumError(
        'HANDLER_FAILED',
        `Handler ${name} refused with '${reason}', which it does not declare. Nothing happened.`,
        {
          details: { part: `handler ${name}`, reason, declared: [...part.refusals.keys()] },
        },
      )
    },
    run: part.run,
  }
}

function servicePart(name: string, part: ReturnType<UnitDefinition['services']['get']> & {}): ServicePart {
  const { route: routeField, timeoutMs, run, reduce } = part
  const subject = `The input of service ${name}`
  const admit = (input: unknown): unknown => validateAny(part.input, input, { subject })
  return { name, label: `service ${name}`, routeField, timeoutMs, admit, run, reduce }
}

function taskPart(name: string, part: ReturnType<UnitDefinition['tasks']['get']> & {}): TaskPart {
  const subject = `The input of task ${name}`
  return { name, label: `task ${name}`, admit: (input) => validateAny(part.input, input, { subject }), map: part.map }
}

function sourcePart(
  name: string,
  { entry: type, load }: ReturnType<UnitDefinition['sources']['get']> & {},
  layouts: ReadonlyMap<string, Layout>,
): SourcePart {
  const { route, everywhere } = layouts.get(type)!
  return {
    name,
    type,
    isEverywhere: everywhere === true,
    routeOf: (value) => (route.length === 1 ? value[route[0]!] : route.map((field) => value[field])),
    load: load as SourcePart['load'],
  }
}

/** The hash of what a unit declares: the same on every member and in every build of the same file (UN1). */
function hashOf(definition: UnitDefinition, runtime: Runtime): string {
  const declared = {
    name: definition.name,
    entries: [...definition.entries.values()].map((entry) => ({
      ...layoutOf(entry),
      schema: plainJson(entry.checked.json),
      // Older shapes alone make another unit, because they say what becomes of entries.
      ...(entry.upgrades.length === 0 ? {} : { upgrades: entry.upgrades.map(({ from }) => plainJson(from.json)) }),
    })),
    handlers: [...definition.handlers].map(([name, part]) => ({
      name,
      route: part.route,
      input: plainJson(part.input.json),
    })),
    tasks: [...definition.tasks].map(([name, part]) => ({ name, input: plainJson(part.input.json) })),
    ...(definition.projections.size === 0
      ? {}
      : { projections: [...definition.projections].map(([name, { of }]) => ({ name, of })) }),
    ...(definition.sinks.size === 0 ? {} : { sinks: [...definition.sinks].map(([name, { of }]) => ({ name, of })) }),
  }
  return digestOf(declared, runtime)
}

function digestOf(value: unknown, runtime: Runtime): string {
  const writer = new ByteWriter(4096)
  writeValue(writer, value)
  return [...runtime.digest([writer.written()])].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A JSON Schema as text, because it may hold things that are not plain values. */
function plainJson(json: unknown): string {
  return JSON.stringify(json)
}
