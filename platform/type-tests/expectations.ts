/** One `@ts-expect-error` of a file: the line that it speaks of, the codes that may stand there, and why. */
export interface Expectation {
  readonly line: number
  readonly codes: readonly string[]
  readonly reason: string
}

/** One error of a compiler. */
export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly code: string
  /** All of its text, in one line. */
  readonly text: string
}

const comment = /^\s*\/\/ @ts-expect-error ((?:TS\d+)(?:\/TS\d+)*) (.+)$/
const error = /^(.+?)\((\d+),\d+\): error (TS\d+): (.*)$/

/** Takes the `@ts-expect-error` comments out of a source, leaving every line where it is. */
export function withoutExpectations(source: string): {
  readonly source: string
  readonly expectations: readonly Expectation[]
} {
  const expectations: Expectation[] = []
  const lines = source.split('\n').map((text, at) => {
    const match = comment.exec(text)
    if (match === null) return text
    expectations.push({ line: at + 2, codes: match[1]!.split('/'), reason: match[2]! })
    return ''
  })
  return { source: lines.join('\n'), expectations }
}

/** Reads what a compiler printed with `--pretty false`; lines that begin with a blank belong to the error before. */
export function readDiagnostics(output: string): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  for (const text of output.split('\n')) {
    const match = error.exec(text)
    const last = diagnostics.at(-1)
    if (match !== null) {
      diagnostics.push({ file: match[1]!, line: Number(match[2]), code: match[3]!, text: match[4]! })
    } else if (last !== undefined && text.startsWith(' ')) {
      diagnostics[diagnostics.length - 1] = { ...last, text: `${last.text} ${text.trim()}` }
    }
  }
  return diagnostics
}
