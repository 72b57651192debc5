import { definitionOf, type AnyEntry, type Change, type Of } from '../space/index.ts'
import type { CheckedFunction } from './checked-function.ts'

/** A projection of a unit that has the entry types E. */
export interface Projection<S = any, E extends AnyEntry = any> {
  readonly kind: 'projection'
  readonly '~': S
  for?(change: Applied<E>): void
}

/** A change with its entry type's name, so that `switch (change.type)` narrows the entry. */
export type Applied<E extends AnyEntry> = E extends unknown ? Change<Of<E>> & { readonly type: E['name'] } : never

/** A projection as the platform uses it. */
export class ProjectionDefinition {
  readonly of: readonly string[]
  readonly create: () => unknown
  readonly apply: CheckedFunction<[state: unknown, change: unknown, out: unknown], void>
  readonly save: CheckedFunction<[state: unknown]>
  readonly load: CheckedFunction<[saved: unknown]>

  constructor(declaration: ProjectionDeclaration) {
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
  readonly apply: (state: never, change: never, out: never) => void
  readonly save: (state: never) => unknown
  readonly load: (saved: never) => unknown
}

/** Declares a projection: state folded from committed changes, on primary and backups alike (UN6). */
export function projection<T extends AnyEntry, S>(declaration: {
  readonly of: readonly T[]
  readonly create: () => S
  readonly apply: (state: S, change: Applied<T>, out: { emit(topic: string, event: unknown): void }) => void
  readonly save: (state: S) => unknown
  readonly load: (saved: never) => S
}): Projection<S, T>
export function projection(declaration: ProjectionDeclaration): Projection {
  return Object.freeze({ kind: 'projection', '~': new ProjectionDefinition(declaration) })
}
