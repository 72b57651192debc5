import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { sqlError, type SqlConnection, type SqlPlace } from './sql-connection.ts'

/** PGlite in a folder, in words. */
export function pglitePlace(folder: string): SqlPlace {
  return {
    database: `PGlite (PostgreSQL in this process) in ${folder}`,
    nextStep: 'Remove that folder to have it made anew, or set DATABASE_URL to use a PostgreSQL server',
  }
}

/**
 * Opens PGlite on a folder, which is made if it is missing. Whoever calls holds a lock that keeps other processes out:
 * PGlite itself does not notice a second one. SOURCE_UNAVAILABLE if it does not open.
 */
export async function openPglite(folder: string): Promise<SqlConnection> {
  const place = pglitePlace(folder)
  try {
    if (!(await exists(folder))) await create(folder)
    const database = await PGlite.create(folder)
    return {
      query: async (text, parameters) => (await database.query(text, [...(parameters ?? [])])).rows,
      script: async (text) => void (await database.exec(text)),
      close: () => database.close(),
    }
  } catch (error) {
    throw sqlError(error, place)
  }
}

/**
 * Makes an empty cluster beside its place and moves it there when it is whole: a process killed while the files are
 * being written leaves nothing that looks like a database. Once it is in place, PostgreSQL's own log recovers it.
 */
async function create(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(dirname(folder), { recursive: true })
  const database = await PGlite.create(unfinished)
  await database.close()
  await rename(unfinished, folder)
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
