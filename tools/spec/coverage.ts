import type { Citation } from './cited-rules.ts'
import type { Specification } from './read-spec.ts'

/** What does not agree between the specification and the tests: one sentence each; none if all is well. */
export function coverageMistakes(
  { rules, mistakes }: Specification,
  citations: readonly Citation[],
): readonly string[] {
  const found = [...mistakes]
  const known = new Set(rules.map(({ id }) => id))
  const cited = new Set(citations.map(({ rule }) => rule))
  for (const { id, line, inForce, mutants } of rules) {
    if (!inForce) continue
    if (!cited.has(id)) found.push(`SPEC.md:${line}: no test has [${id}] in its name.`)
    if (mutants.length === 0) found.push(`SPEC.md:${line}: rule ${id} has no mutant.`)
  }
  for (const { rule, file, line } of citations) {
    if (!known.has(rule)) found.push(`${file}:${line}: this test cites [${rule}], which SPEC.md does not have.`)
  }
  return found
}
