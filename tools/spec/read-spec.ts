/** One line of the source that makes the test of a rule fail. */
export interface Mutant {
  /** The rule that it breaks. */
  readonly rule: string
  /** The source file, from the folder of SPEC.md (`src/space/machine.ts`). */
  readonly file: string
  /** The text to replace; it must stand in the file exactly once. */
  readonly before: string
  readonly after: string
  /** The file of the test that must fail, from the folder of SPEC.md. */
  readonly test: string
}

/** A numbered rule of SPEC.md. */
export interface Rule {
  readonly id: string
  /** The line of SPEC.md on which it stands, counted from 1. */
  readonly line: number
  /** Whether this version keeps it; the others stand under the heading "Not in force yet". */
  readonly inForce: boolean
  readonly mutants: readonly Mutant[]
}

/** What SPEC.md says, and what in it could not be read. */
export interface Specification {
  readonly rules: readonly Rule[]
  /** Full sentences, each with its line. */
  readonly mistakes: readonly string[]
}

const ruleLine = /^(?:- )?\*\*([A-Z]{1,3}\d+[a-z]?)\*\*/
const headingLine = /^(#+)\s+(.*)$/
const mutantStart = /^\s+- mutant:/
const code = '(`+)(.+?)'
// Each text stands in a code mark of one or more backticks, so that a text with a backtick can be written too.
const mutantLine = new RegExp(
  String.raw`^\s+- mutant: ${code}\1 ${code}\3 -> ${code}\5 \(test: ${code}\7\)\s*$`.replace('->', '(?:->|→)'),
)

/**
 * Reads the rules of SPEC.md. A rule is a line `- **PA2** text`; below it stand its mutants, each a line
 * "  - mutant: `src/file.ts` `old text` -> `new text` (test: `src/file.test.ts`)".
 */
export function readSpecification(markdown: string): Specification {
  const rules: (Omit<Rule, 'mutants'> & { mutants: Mutant[] })[] = []
  const mistakes: string[] = []
  let notInForce = 0
  for (const [index, text] of markdown.split('\n').entries()) {
    const line = index + 1
    const heading = headingLine.exec(text)
    if (heading !== null) {
      const depth = heading[1]?.length ?? 1
      if (/not in force yet/i.test(heading[2] ?? '')) notInForce = depth
      else if (depth <= notInForce) notInForce = 0
      continue
    }
    const id = ruleLine.exec(text)?.[1]
    if (id !== undefined) {
      if (rules.some((rule) => rule.id === id)) mistakes.push(`SPEC.md:${line}: rule ${id} stands here a second time.`)
      rules.push({ id, line, inForce: notInForce === 0, mutants: [] })
    } else if (mutantStart.test(text)) {
      const rule = rules.at(-1)
      const mutant = rule && readMutant(text, rule.id)
      if (mutant === undefined) {
        mistakes.push(
          `SPEC.md:${line}: this mutant cannot be read. Write: - mutant: \`file\` \`old\` -> \`new\` (test: \`file\`)`,
        )
      } else rule?.mutants.push(mutant)
    }
  }
  return { rules, mistakes }
}

function readMutant(text: string, rule: string): Mutant | undefined {
  const parts = mutantLine.exec(text)
  if (parts === null) return undefined
  const [, , file = '', , before = '', , after = '', , test = ''] = parts
  return { rule, file, before: trimCode(before), after: trimCode(after), test }
}

/** Inside longer code marks Markdown lets one space stand on each side of a text that begins with a backtick. */
function trimCode(text: string): string {
  return /^ .*`.* $/.test(text) ? text.slice(1, -1) : text
}
