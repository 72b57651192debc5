import { isPlenumError, PlenumError } from '../kernel/index.ts'
import { errorData, type ErrorData } from '../space/index.ts'

/** An error as it goes from one thread to another: a class does not survive the way. */
export type SentError =
  | { readonly plenum: ErrorData; readonly cause: Error | undefined }
  | { readonly name: string; readonly message: string; readonly stack: string | undefined }

/** An error to be sent. */
export function sentError(error: unknown): SentError {
  if (isPlenumError(error)) {
    const { cause } = error
    return { plenum: errorData(error), cause: cause instanceof Error ? cloneable(cause) : undefined }
  }
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined }
  return { name: error.name, message: error.message, stack: error.stack }
}

/** The error that was sent. */
export function errorOf(sent: SentError): Error {
  if ('plenum' in sent) {
    const { code, message, retry, details } = sent.plenum
    return new PlenumError(code, message, { retry, details, cause: sent.cause })
  }
  const error = new Error(sent.message)
  error.name = sent.name
  if (sent.stack !== undefined) error.stack = sent.stack
  return error
}

/** The same error without what cannot be cloned of it. */
function cloneable({ name, message, stack }: Error): Error {
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
