import { PlenumError, type Duration, type Limits } from '../kernel/index.ts'
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import type { FoldedChange, FoldOut, ProjectionRule } from '../partition/index.ts'
import { definitionOf, type AnyEntry, type Change, type Of } from '../space/index.ts'
import type { CheckedFunction } from './checked-function.ts'
import { plainCopy } from './plain-result.ts'
import type { Handler, HandlerShape } from './handler.ts'
import { keepingRule } from './sink.ts'
import { sentMessage, type SendingOptions } from './sent-message.ts'
import type { UnitParts, Watch } from './unit-logic.ts'

/** A projection of a unit that has the entry types E; its state on each partition is an S. */
export interface Projection<S = any, E extends AnyEntry = any> {
  readonly kind: 'projection'
  readonly '~': S
  for?(change: Applied<E>): void
}

/** A change with its entry type's name, so that `switch (change.type)` narrows the entry. */
export type Applied<E extends AnyEntry> = E extends unknown ? Change<Of<E>> & { readonly type: E['name'] } : never

/** Where a projection puts out what others should hear of. */
export interface ProjectionOut {
  /** An event is plain data; readers choose by topic. */
  readonly emit: (topic: string, event: unknown) => void
  /** Calls a handler of the unit, on any partition, exactly once: its changes are the projection's way to entries. */
  readonly send: <H extends HandlerShape>(
    to: Handler<H, any>,
    input: H['input'],
    options?: { readonly after?: Duration },
  ) => void
}

/** A projection as the platform uses it. */
export class ProjectionDefinition {
  readonly of: readonly string[]
  readonly create: () => unknown
  readonly apply: CheckedFunction<[state: unknown, change: unknown, out: ProjectionOut], void>
  readonly save: CheckedFunction<[state: unknown]>
  readonly load: CheckedFunction<[saved: unknown]>

  constructor(declaration: ProjectionDeclaration) {
    for (const part of ['create', 'apply', 'save', 'load'] as const) {
      if (typeof declaration[part] === 'function') continue
      throw invalid(`A projection needs a function \`${part}\`.`, part)
    }
    if (!Array.isArray(declaration.of) || declaration.of.length === 0)
      throw invalid('A projection needs `of`, a list of the entry types whose changes it folds.', 'of')
    this.of = Object.freeze(declaration.of.map((type) => definitionOf(type).name))
    this.create = declaration.create
    this.apply = declaration.apply
    this.save = declaration.save
    this.load = declaration.load
    Object.freeze(this)
  }
}

interface ProjectionDeclaration {
  readonly of: readonly AnyEntry[]
  readonly create: () => unknown
  readonly apply: (state: never, change: never, out: ProjectionOut) => void
  readonly save: (state: never) => unknown
  readonly load: (saved: never) => unknown
}

/**
 * Declares a projection: state folded from committed changes in journal order, on primary and backups alike (UN6).
 * `create` makes the state of an empty partition, `apply` folds one change into it and may put out events, `save` gives the
 * state as plain data for snapshots, and `load` makes it again. All four must be deterministic.
 */
export function projection<T extends AnyEntry, S>(declaration: {
  readonly of: readonly T[]
  readonly create: () => S
  readonly apply: (state: S, change: Applied<T>, out: ProjectionOut) => void
  readonly save: (state: S) => unknown
  readonly load: (saved: never) => S
}): Projection<S, T>
export function projection(declaration: ProjectionDeclaration): Projection {
  return Object.freeze({ kind: 'projection', '~': new ProjectionDefinition(declaration) })
}

/** A projection, resolved from its declaration. */
export interface ProjectionPart {
  readonly name: string
  readonly label: string
  /** What a token of the projection has, by which it is found. */
  readonly token: unknown
  readonly definition: ProjectionDefinition
  /** Whether what is saved is loaded and saved once more, and must be the same: for development and tests. */
  readonly checkSaved: boolean
}

/** What folds a unit's projections. */
export interface FoldingOptions extends SendingOptions {
  readonly parts: Pick<UnitParts, 'name' | 'handlers' | 'projections' | 'sinks'>
  readonly limits: Pick<Limits, 'sinkChangesMax'>
  readonly watch?: Watch | undefined
}

/** What a partition folds: the unit's functions, watched while they run, and what its sinks are to write. */
export function projectionRules(options: FoldingOptions): readonly ProjectionRule[] {
  const { parts, limits } = options
  const projections = parts.projections.map((part) => projectionRule(part, options))
  return [...projections, ...parts.sinks.map((part) => keepingRule(part, limits.sinkChangesMax))]
}

function projectionRule(
  { name, label, definition, checkSaved }: ProjectionPart,
  options: FoldingOptions,
): ProjectionRule {
  const { watch } = options
  const watched = <T>(run: () => T): T => {
    watch?.enter(label)
    try {
      return run()
    } finally {
      watch?.leave()
    }
  }
  const apply = (state: unknown, change: FoldedChange, given: FoldOut): void => {
    const out: ProjectionOut = {
      emit: (topic, event) => given.emit(topic, plainCopy(event, label)),
      send: (to, input, when) => given.send(sentMessage(options, to, input, when)),
    }
    const result: unknown = watched(() => definition.apply(state, change, out))
    if (result instanceof Promise) throw asynchronous(label)
  }
  const save = (state: unknown): unknown => {
    const saved = plainCopy(
      watched(() => definition.save(state)),
      label,
    )
    if (checkSaved) checkSame(label, saved, (copy) => watched(() => definition.save(definition.load(copy))))
    return saved
  }
  return {
    name,
    of: definition.of,
    create: () => watched(() => definition.create()),
    apply,
    save,
    load: (saved) => watched(() => definition.load(saved)),
  }
}

/** A state that is not the same once it was saved and loaded would differ between members. */
function checkSame(label: string, saved: unknown, again: (copy: unknown) => unknown): void {
  const before = encoded(saved)
  const after = encoded(plainCopy(again(readValue(new ByteReader(before))), label))
  if (before.length === after.length && before.every((byte, at) => byte === after[at])) return
  throw new PlenumError(
    'PROJECTION_FAILED',
    `What \`load\` of the ${label} makes of what \`save\` gave is saved as something else. A state that was loaded must go on as the one that was saved.`,
    { details: { part: label } },
  )
}

function encoded(value: unknown): Uint8Array {
  const writer = new ByteWriter(256)
  writeValue(writer, value)
  return writer.written().slice()
}

function asynchronous(label: string): PlenumError {
  return new PlenumError('HANDLER_ASYNC', `The ${label} returned a promise. A projection is synchronous.`, {
    details: { part: label },
  })
}

function invalid(message: string, field: string): PlenumError {
  return new PlenumError('UNIT_INVALID', message, { details: { field } })
}
