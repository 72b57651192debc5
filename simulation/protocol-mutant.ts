import type { Faults } from './run-seed.ts'

/** One change of the source. */
export interface Edit {
  /** Path from `platform/src`. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly before: string
  readonly after: string
}

/** A defect of the protocol that tests of single parts may miss, and how soon the simulator has to find it. */
export interface ProtocolMutant {
  readonly name: string
  /** What it gets wrong, as one sentence. */
  readonly about: string
  readonly edits: readonly Edit[]
  /** Seeds within which a run has to fail. */
  readonly within: number
  readonly faults: Faults
  /** The only scenario that is played; all in turn if left out. */
  readonly scenario?: string
  /** A probe that is met no more: for what costs time but breaks no promise. */
  readonly silences?: string
  /** Why the simulator is known not to find it yet; it is tried all the same, and told. */
  readonly hole?: string
}

/** Declares a mutant that every fault may find, unless told otherwise. */
export function mutant(
  name: string,
  about: string,
  within: number,
  edits: readonly (readonly [file: string, before: string, after: string])[],
  more: Partial<Pick<ProtocolMutant, 'faults' | 'scenario' | 'silences' | 'hole'>> = {},
): ProtocolMutant {
  const changes = edits.map(([file, before, after]) => ({ file, before, after }))
  return { name, about, within, edits: changes, faults: 'all', ...more }
}
