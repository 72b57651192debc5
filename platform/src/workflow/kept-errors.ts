// Errors of workflows, as they are thrown and as they are kept.
import { isPlenumError, PlenumError } from '../kernel/index.ts'
import { plainResult } from '../unit/index.ts'
import type { KeptError } from './rows.ts'

/** Characters of a message that are kept. */
const messageLengthMax = 1_000

/** Thrown by a step that has failed for good. */
export class StepRefusal extends Error {
  override readonly name = 'StepRefusal'
  readonly reason: string
  readonly data: unknown

  constructor(reason: string, data: unknown) {
    super(`The step refused: ${reason}.`)
    this.reason = reason
    this.data = plainResult(data, `refusal ${reason}`)
  }
}

/** Ends a run whose instance somebody else has taken further, or ended. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'

  constructor() {
    super('Somebody else has taken the instance further.')
  }
}

/** Errors that come from the code of a workflow, and go with other code: no attempt would help. */
const defects: ReadonlySet<string> = new Set([
  'VALUE_NOT_PLAIN',
  'VALUE_TOO_LARGE',
  'UNIT_INVALID',
  'DURATION_INVALID',
  'WORKFLOW_STEP_INVALID',
])

/** True for what no attempt would help against: its instance waits for other code. */
export function isDefect(error: unknown): error is PlenumError {
  return isPlenumError(error) && defects.has(error.code)
}

/** Anything that was thrown, as it is kept. */
export function keptError(error: unknown, step: string | null): KeptError {
  const message = textOf(error).slice(0, messageLengthMax)
  if (error instanceof StepRefusal) {
    const { reason, data } = error
    return { code: 'REFUSED', message, step, refusal: data === undefined ? { reason } : { reason, data } }
  }
  const code = isPlenumError(error) ? error.code : error instanceof Error ? error.name : 'Error'
  return { code, message, step, refusal: null }
}

/** What a step throws, in the first run and in each that comes after. */
export function stepFailed(workflow: string, error: KeptError): PlenumError {
  const { step, message, code, refusal } = error
  return new PlenumError('WORKFLOW_STEP_FAILED', `Step '${step}' of workflow '${workflow}' has failed: ${message}`, {
    details: { workflow, step, code, message, ...refusal },
  })
}

/** Why an instance has failed, from what its function threw: the step's own error where it is one. */
export function causeOf(error: unknown): KeptError {
  if (!isPlenumError(error, 'WORKFLOW_STEP_FAILED')) return keptError(error, null)
  const { step, code, message, reason, data } = error.details
  const refused = typeof reason === 'string' ? { reason, ...(data === undefined ? {} : { data }) } : null
  return { code: String(code), message: String(message), step: String(step), refusal: refused }
}

function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'What was thrown has no text.'
  }
}
