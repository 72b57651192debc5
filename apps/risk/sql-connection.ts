import { z } from 'zod'
import { PlenumError } from 'plenum'

/** What the trade database needs of PostgreSQL; made by `openPglite` and `openServer`. */
export interface SqlConnection {
  /** Runs one statement and gives its rows. */
  query(text: string, parameters?: readonly unknown[]): Promise<readonly unknown[]>
  /** Runs statements without parameters, parted by semicolons. */
  script(text: string): Promise<void>
  close(): Promise<void>
}

/** Where a connection leads, in words without secrets, and what to do if it cannot be made. */
export interface SqlPlace {
  readonly database: string
  readonly nextStep: string
}

const SqlFault = z.object({ code: z.string().regex(/^[0-9A-Z]{5}$/), severity: z.string() })

// Classes of SQLSTATE that say the server cannot be used now or by us: connection, wrong login, no such database,
// out of resources, shutting down. All others say that the statement is wrong.
const unavailable = /^(08|28|3D|53|57)/

/**
 * Turns what a driver threw into SOURCE_UNAVAILABLE (the database cannot be reached or does not let us in) or
 * SOURCE_FAILED (it answered, and refused the statement); a PlenumError passes through.
 */
export function sqlError(error: unknown, place: SqlPlace): PlenumError {
  if (error instanceof PlenumError) return error
  const fault = SqlFault.safeParse(error)
  const reason = reasonOf(error)
  const details = { database: place.database, reason, nextStep: place.nextStep }
  if (fault.success && !unavailable.test(fault.data.code)) {
    return new PlenumError('SOURCE_FAILED', `${place.database} refused a statement: ${reason}. ${place.nextStep}.`, {
      details: { ...details, sqlState: fault.data.code },
      cause: error,
    })
  }
  return new PlenumError('SOURCE_UNAVAILABLE', `Cannot use ${place.database}: ${reason}. ${place.nextStep}.`, {
    details,
    cause: error,
  })
}

function reasonOf(error: unknown): string {
  // Node reports a refused connection as one error for each address tried, in an error without a message.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return (error instanceof Error ? error.message : String(error)).trim().replace(/\.$/, '')
}
