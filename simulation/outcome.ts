import { isPlenumError } from 'plenum'
import { replayCommand, type SeedName, type SeedReport } from './run-seed.ts'

/** What went wrong in a run; plain, so that it can cross threads. */
export interface Failure {
  readonly code: string
  readonly message: string
  /** The least that shows it, as JSON lines; the stack where it is no finding of a checker. */
  readonly evidence: string
}

/** How a run ended. */
export type Outcome = {
  readonly name: SeedName
  /** Real milliseconds. */
  readonly ms: number
} & ({ readonly kind: 'passed'; readonly report: SeedReport } | { readonly kind: 'failed'; readonly failure: Failure })

/** A failure as plain data. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'none', message: String(error), evidence: '' }
  const { message, stack = '' } = error
  if (!isPlenumError(error)) return { code: error.name, message, evidence: stack }
  const { evidence } = error.details
  const lines = Array.isArray(evidence) ? evidence.map((one) => JSON.stringify(one)).join('\n') : stack
  return { code: error.code, message, evidence: lines }
}

/** A failure for a person: what, where, and the command that plays it again. */
export function failureText(name: SeedName, { code, message, evidence }: Failure, evidenceLinesMax = 12): string {
  const lines = evidence.split('\n')
  const shown = lines.slice(0, evidenceLinesMax).map((line) => `    ${line}`)
  const more = lines.length > evidenceLinesMax ? [`    … ${lines.length - evidenceLinesMax} more lines`] : []
  const head = `FAILED  scenario ${name.scenario}, seed ${name.seed}: ${code}: ${message}`
  return [head, `    play it again: ${replayCommand(name)}`, ...shown, ...more].join('\n')
}
