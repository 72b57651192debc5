// Finds the servers that `npm run bench peers` measures Plenum beside, and installs those that are missing where this
// machine has apt-get and the one who asks may use it; says what to do where not.
import { spawnSync, type SpawnSyncOptions } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { findServer, missingServer, peerServers, type PeerServer } from '../benchmarks/servers/find-servers.ts'

/** Debian asks this file whether a package may start its service; 101 is no. */
const policyFile = '/usr/sbin/policy-rc.d'

const missing = peerServers.filter((server) => findServer(server) === undefined)
if (missing.length > 0) install(missing.flatMap(({ packages }) => packages))
for (const server of peerServers) report(server)

function report(server: PeerServer): void {
  const found = findServer(server)
  if (found !== undefined) {
    process.stdout.write(`${server.name} ${found.version}: ${Object.values(found.programs).join(', ')}\n`)
    return
  }
  process.stderr.write(`${missingServer(server)}\n`)
  process.exitCode = 1
}

function install(packages: readonly string[]): void {
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) {
    process.stderr.write('This machine has no apt-get.\n')
    return
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write(`Installing needs root: sudo ${command}\n`)
    return
  }
  process.stderr.write(`${command}\n`)
  // The benchmarks start servers of their own; one that the package starts would only take time from what is measured.
  const ours = !existsSync(policyFile)
  if (ours) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const options: SpawnSyncOptions = { env: environment, stdio: ['ignore', 2, 2] }
    // A failed update is not the end: the list may be good enough, and what is still missing is reported.
    spawnSync('apt-get', ['update', '-qq'], options)
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options)
  } finally {
    if (ours) rmSync(policyFile, { force: true })
  }
}
