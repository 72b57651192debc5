import { execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { findServer, missingServer, postgresServer } from './find-servers.ts'
import { freePort, ServerProcess, userBesideRoot } from './server-process.ts'

/** A PostgreSQL server of our own, and its address. */
export interface RunningPostgres {
  readonly server: ServerProcess
  readonly url: string
}

/** What makes a commit of PostgreSQL mean that the disk has it. They are its defaults. */
export const durablePostgres: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
}

/**
 * What made it fastest here: all data in its cache, no second server to write for, and neither checkpoints nor vacuum
 * while somebody is measured.
 */
const quick: Readonly<Record<string, string>> = {
  shared_buffers: '512MB',
  wal_buffers: '64MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '16GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
  jit: 'off',
  max_connections: '200',
}

/** Makes a database cluster in an empty folder and starts PostgreSQL on it, as another user where this one is root. */
export async function startPostgres(folder: string, settings = durablePostgres): Promise<RunningPostgres> {
  const found = findServer(postgresServer)
  if (found === undefined) throw new Error(missingServer(postgresServer))
  const user = userBesideRoot()
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(found.programs['initdb']!, ['-D', data, '-U', 'bank', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const port = await freePort()
  const given = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...quick, ...settings }
  const url = `postgres://bank@127.0.0.1:${port}/postgres`
  const server = new ServerProcess({
    name: 'PostgreSQL',
    program: found.programs['postgres']!,
    arguments: [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    folder,
    ...(user === undefined ? {} : { user }),
    stopSignal: 'SIGINT',
    abortSignal: 'SIGQUIT',
    answers: () => connects(url),
  })
  return { server, url }
}

async function connects(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
