import type { Mutant } from '../spec/read-spec.ts'

/** Which mutants to try. */
export type Choice =
  | { readonly kind: 'all' }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** So many in a row, from a place that the seed decides. */
  | { readonly kind: 'some'; readonly count: number; readonly seed: number }

/** Reads the arguments; `seed` is used where the user gives none. Throws an Error whose message is for the user. */
export function readChoice(args: readonly string[], seed: number): Choice {
  let count: number | undefined
  let chosenSeed = seed
  for (let at = 0; at < args.length; at++) {
    const next = (): string => {
      const value = args[++at]
      if (value === undefined) throw new Error(`${args[at - 1]} needs a value.`)
      return value
    }
    const arg = args[at]
    if (arg === '--all') return { kind: 'all' }
    if (arg === '--ids') return { kind: 'ids', ids: next().split(',') }
    if (arg === '--count') count = wholeNumber(next())
    else if (arg === '--seed') chosenSeed = wholeNumber(next())
    else throw new Error(`Unknown argument ${arg}. Use: --all | --ids PA1,PA2 | --count 10 [--seed 1]`)
  }
  return count === undefined ? { kind: 'all' } : { kind: 'some', count, seed: chosenSeed }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${text} is not a whole number.`)
  return Number(text)
}

/** The mutants of the choice, in the order of SPEC.md. Throws an Error if an id has no mutant. */
export function choose(mutants: readonly Mutant[], choice: Choice): readonly Mutant[] {
  switch (choice.kind) {
    case 'all':
      return mutants
    case 'ids': {
      const missing = choice.ids.filter((id) => !mutants.some(({ rule }) => rule === id))
      if (missing.length > 0) throw new Error(`No rule in force with a mutant is called ${missing.join(', ')}.`)
      return mutants.filter(({ rule }) => choice.ids.includes(rule))
    }
    case 'some': {
      const first = mutants.length === 0 ? 0 : choice.seed % mutants.length
      return [...mutants.slice(first), ...mutants.slice(0, first)].slice(0, choice.count)
    }
  }
}
