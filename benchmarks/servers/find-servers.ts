// Where the servers are that Plenum is measured beside: programs of this machine, nothing that we ship.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A server whose programs are on this machine. */
export interface FoundServer {
  /** Paths by the name of the program. */
  readonly programs: Readonly<Record<string, string>>
  /** What its server program says of itself. */
  readonly version: string
}

/** A server that can be measured, and how to get it. */
export interface PeerServer {
  readonly name: 'Redis' | 'PostgreSQL'
  /** The first one is the server. */
  readonly programs: readonly string[]
  /** Packages of Debian and Ubuntu that hold the programs, without what they recommend. */
  readonly packages: readonly string[]
  /** What to do where there is no apt-get. */
  readonly elsewhere: string
}

export const redisServer: PeerServer = {
  name: 'Redis',
  programs: ['redis-server'],
  packages: ['redis-server'],
  elsewhere: "install Redis 7 or newer with the system's packages and put redis-server on the PATH",
}

export const postgresServer: PeerServer = {
  name: 'PostgreSQL',
  programs: ['postgres', 'initdb'],
  packages: ['postgresql'],
  elsewhere: "install PostgreSQL 15 or newer with the system's packages and put postgres and initdb on the PATH",
}

export const peerServers: readonly PeerServer[] = [redisServer, postgresServer]

/** The programs of a server, or undefined where one of them is missing or does not run. */
export function findServer(server: PeerServer, path = process.env['PATH'] ?? ''): FoundServer | undefined {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...packagedFolders()]
  const programs: Record<string, string> = {}
  for (const program of server.programs) {
    const found = folders.map((folder) => join(folder, program)).find(canRun)
    if (found === undefined) return undefined
    programs[program] = found
  }
  const version = versionOf(programs[server.programs[0]!]!)
  return version === undefined ? undefined : { programs, version }
}

/** One sentence for each server that is not there; empty if all are. */
export function missingServers(path?: string): readonly string[] {
  return peerServers.filter((server) => findServer(server, path) === undefined).map(missingServer)
}

/** Which programs are missing, and what to do. */
export function missingServer({ name, programs, packages, elsewhere }: PeerServer): string {
  return (
    `${name} is not on this machine (${programs.join(', ')} on the PATH): run \`node tools/peers.ts\`, ` +
    `which installs ${packages.join(' ')} with apt-get, or ${elsewhere}.`
  )
}

/** Debian keeps the programs of PostgreSQL off the PATH; the newest version comes first. */
function packagedFolders(): readonly string[] {
  const root = '/usr/lib/postgresql'
  try {
    const versions = readdirSync(root).toSorted((left, right) => Number(right) - Number(left))
    return versions.map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}

function canRun(program: string): boolean {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function versionOf(program: string): string | undefined {
  try {
    const said = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return /(\d+\.\d+(?:\.\d+)*)/.exec(said)?.[1]
  } catch {
    return undefined
  }
}
