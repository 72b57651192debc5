import type { Mutant } from './read-spec.ts'

/**
 * Mutants that cannot be tried any more: one sentence each; none if all is well. `read` gives the text of a file as
 * SPEC.md names it, undefined if there is none.
 */
export function placeMistakes(mutants: readonly Mutant[], read: (path: string) => string | undefined): string[] {
  return mutants.flatMap(({ rule, file, before, test }) => {
    const of = `SPEC.md: a mutant of ${rule}`
    const found: string[] = []
    const source = read(file)
    const count = source === undefined ? 1 : source.split(before).length - 1
    if (source === undefined) found.push(`${of} is in ${file}, which does not exist.`)
    if (count !== 1) found.push(`${of}: \`${before}\` stands ${count} times in ${file}; it must stand once.`)
    if (read(test) === undefined) found.push(`${of} names the test ${test}, which does not exist.`)
    return found
  })
}
