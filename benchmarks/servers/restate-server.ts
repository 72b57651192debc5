import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { freePort, ServerProcess } from './server-process.ts'

/** A Restate server of our own, and where it listens. */
export interface RunningRestate {
  readonly server: ServerProcess
  readonly ingressPort: number
  readonly adminPort: number
  readonly version: string
}

/** The server's program and its version; undefined where npm has none for this machine. */
export function findRestate(): { readonly program: string; readonly version: string } | undefined {
  try {
    const named = `@restatedev/restate-server-${process.platform}-${process.arch}/package.json`
    // npm brings the program of this machine as a part of it.
    const server = import.meta.resolve('@restatedev/restate-server/package.json')
    const file = createRequire(server).resolve(named)
    const program = join(dirname(file), 'bin', 'restate-server')
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
    return existsSync(program) ? { program, version } : undefined
  } catch {
    return undefined
  }
}

/** One sentence if it is not there. */
export function missingRestate(): readonly string[] {
  return findRestate() === undefined
    ? [`Restate has no program for ${process.platform} ${process.arch} among the packages of npm, or npm left it out.`]
    : []
}

/** Starts it with its data in an empty folder; `wait` for it before it is asked. */
export async function startRestate(folder: string): Promise<RunningRestate> {
  const found = findRestate()
  if (found === undefined) throw new Error(missingRestate()[0])
  const [ingressPort, adminPort, nodePort] = [await freePort(), await freePort(), await freePort()]
  const server = new ServerProcess({
    name: 'Restate',
    program: found.program,
    arguments: ['--base-dir', folder, '--no-logo', '--log-filter', 'error', '--listen-mode', 'tcp'],
    folder,
    environment: {
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_BIND_PORT: String(nodePort),
      RESTATE_INGRESS__BIND_PORT: String(ingressPort),
      RESTATE_ADMIN__BIND_PORT: String(adminPort),
      RESTATE_DISABLE_TELEMETRY: 'true',
    },
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    answers: async () => (await isHealthy(adminPort, '/health')) && (await isHealthy(ingressPort, '/restate/health')),
  })
  return { server, ingressPort, adminPort, version: found.version }
}

function isHealthy(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    call.once('error', () => resolve(false))
    call.end()
  })
}
