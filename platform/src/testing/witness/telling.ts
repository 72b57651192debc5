import type { ErrorCode } from '../../kernel/index.ts'
import type { Answer } from '../../space/index.ts'

/** Errors that say something about the state; all others say that the request was not run, or that nobody knows. */
const tellingCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ENTRY_EXISTS',
  'ENTRY_MISSING',
  'STAMP_CONFLICT',
  'ROUTE_IMMUTABLE',
  'OUTSIDE_ROUTE',
  'REFUSED',
  'HANDLER_FAILED',
])

/** True if an answer says something about the state that it comes from. */
export function isTelling(answer: Answer): boolean {
  return answer.ok || tellingCodes.has(answer.error.code)
}
