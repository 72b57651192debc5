import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

/** A PostgreSQL server in a temporary folder, for one test file. */
export interface ThrowawayServer extends AsyncDisposable {
  readonly url: string
  /** Stops the server at once and removes its folder; a second time does nothing. */
  stop(): Promise<void>
}

/** True if the machine has PostgreSQL's server programs, and a user that may run them. */
export function hasServer(): boolean {
  try {
    execFileSync('postgres', ['--version'], { stdio: 'ignore' })
    execFileSync('initdb', ['--version'], { stdio: 'ignore' })
    return process.getuid?.() !== 0 || servant() !== undefined
  } catch {
    return false
  }
}

/** Starts a server on a free port of the loopback address, and waits until it answers. */
export async function throwawayServer(): Promise<ThrowawayServer> {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-risk-server-'))
  // PostgreSQL refuses to run as root.
  const user = process.getuid?.() === 0 ? servant() : undefined
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync('initdb', ['-D', data, '-U', 'risk', '-A', 'trust', '-N'], { ...user, cwd: folder, stdio: 'ignore' })
  const port = await freePort()
  const server = spawn(
    'postgres',
    ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', '-F'],
    {
      ...user,
      cwd: folder,
      stdio: 'ignore',
    },
  )
  const url = `postgres://risk@127.0.0.1:${port}/postgres`
  while (!(await answers(url))) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`)
  }
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'exit')
      server.kill('SIGQUIT')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  return { url, stop, [Symbol.asyncDispose]: stop }
}

/** A port of the loopback address at which nobody listens. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

function servant(): { readonly uid: number; readonly gid: number } | undefined {
  try {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}
