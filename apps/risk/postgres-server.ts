import { Client } from 'pg'
import { sqlError, type SqlConnection, type SqlPlace } from './sql-connection.ts'

const connectTimeoutMs = 10_000

/** The server of a connection URL, in words without its password. */
export function serverPlace(url: string): SqlPlace {
  const nextStep =
    'Check DATABASE_URL and that the server runs, or unset it to use the database that comes with the application'
  if (!URL.canParse(url)) return { database: 'the PostgreSQL server of DATABASE_URL (not a URL)', nextStep }
  const { hostname, port, pathname } = new URL(url)
  return { database: `PostgreSQL at ${hostname || 'the local socket'}:${port || '5432'}${pathname}`, nextStep }
}

/** Connects to a PostgreSQL server by URL, one connection. SOURCE_UNAVAILABLE if that fails within 10 seconds. */
export async function openServer(url: string): Promise<SqlConnection> {
  const place = serverPlace(url)
  try {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: 'plenum-risk',
    })
    // A connection lost between statements is reported as an event; the next statement fails with the same reason.
    client.on('error', () => {})
    await client.connect()
    // One statement at a time: the connection has no other order, and partitions load side by side.
    let last: Promise<unknown> = Promise.resolve()
    const inTurn = <R>(work: () => Promise<R>): Promise<R> => {
      const next = last.then(work, work)
      last = next.catch(() => undefined)
      return next
    }
    return {
      query: (text, parameters) => inTurn(async () => (await client.query(text, [...(parameters ?? [])])).rows),
      script: (text) => inTurn(async () => void (await client.query(text))),
      close: () => inTurn(() => client.end()),
    }
  } catch (error) {
    throw sqlError(error, place)
  }
}
