/** A test that names rules in its title, `test('[PA2, A4] two contenders, one winner', …)`. */
export interface Citation {
  readonly rule: string
  readonly file: string
  readonly line: number
}

// The title may stand on the line after the call, and `.each(...)` before it. A test that is skipped for good
// (`test.skip`, `test.todo`) proves nothing, so it is not a citation.
const titledCall =
  /\b(?:test|it|describe)(?:\.(?!skip\b|todo\b)\w+(?:\((?:[^()]|\([^()]*\))*\))?)*\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g
const brackets = /\[([A-Z]{1,3}\d+[a-z]?(?:,\s*[A-Z]{1,3}\d+[a-z]?)*)\]/g

/** Every rule that the titles of tests in this text cite, with the line of the title. */
export function citedRules(file: string, text: string): readonly Citation[] {
  const citations: Citation[] = []
  for (const call of text.matchAll(titledCall)) {
    const line = text.slice(0, call.index).split('\n').length
    for (const bracket of (call[2] ?? '').matchAll(brackets)) {
      for (const rule of (bracket[1] ?? '').split(/,\s*/)) citations.push({ rule, file, line })
    }
  }
  return citations
}
