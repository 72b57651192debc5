import { createConnection } from 'node:net'
import { findServer, missingServer, redisServer } from './find-servers.ts'
import { freePort, ServerProcess } from './server-process.ts'

/** A Redis server of our own, and where it listens. */
export interface RunningRedis {
  readonly server: ServerProcess
  readonly port: number
}

/** What makes an answer of Redis mean that the disk has it; by default it keeps nothing but a dump now and then. */
export const durableRedis: Readonly<Record<string, string>> = { appendonly: 'yes', appendfsync: 'always' }

/**
 * No dumps and no rewrites of the log: both would take time from what is measured. In a list of processes it keeps its
 * command line, which names its folder.
 */
const quiet: Readonly<Record<string, string>> = { save: '', 'auto-aof-rewrite-percentage': '0', 'set-proc-title': 'no' }

/** Starts Redis with its data in an empty folder; `wait` for it before it is asked. */
export async function startRedis(folder: string, settings = durableRedis): Promise<RunningRedis> {
  const found = findServer(redisServer)
  if (found === undefined) throw new Error(missingServer(redisServer))
  const port = await freePort()
  const given = { port: String(port), bind: '127.0.0.1', dir: folder, ...quiet, ...settings }
  const server = new ServerProcess({
    name: 'Redis',
    program: found.programs['redis-server']!,
    arguments: Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]),
    folder,
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    answers: () => pings(port),
  })
  return { server, port }
}

/** True if a PING is answered, without a client that would try again on its own. */
function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const finish = (answers: boolean): void => {
      socket.destroy()
      resolve(answers)
    }
    socket.once('data', (data) => finish(data.toString().startsWith('+PONG')))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
  })
}
