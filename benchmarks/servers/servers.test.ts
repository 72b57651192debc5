import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { PeerStore } from '../subjects/peer-bank.ts'
import { openPostgresStore } from '../subjects/postgres-bank.ts'
import { openRedisStore } from '../subjects/redis-bank.ts'
import { findServer, missingServers, postgresServer, redisServer } from './find-servers.ts'
import { durablePostgres, startPostgres } from './postgres-server.ts'
import { durableRedis, startRedis } from './redis-server.ts'
import { ServerProcess } from './server-process.ts'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-bench-'))
  folders.push(folder)
  return folder
}
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

const runFile = new URL('../run.ts', import.meta.url).pathname
const childFile = new URL('./interrupted-child.ts', import.meta.url).pathname

describe('finding servers', () => {
  test('a program is found on the PATH with its version; one that does not run is not there', () => {
    const folder = newFolder()
    const program = join(folder, 'redis-server')
    expect(findServer(redisServer, folder)).toBeUndefined()
    writeFileSync(program, '#!/bin/sh\necho "Redis server v=7.2.5 sha=0"\n')
    expect(findServer(redisServer, folder)).toBeUndefined()
    chmodSync(program, 0o755)
    expect(findServer(redisServer, folder)).toEqual({ programs: { 'redis-server': program }, version: '7.2.5' })
    writeFileSync(program, '#!/bin/sh\nexit 1\n')
    expect(findServer(redisServer, folder)).toBeUndefined()
  })

  test('a peer that is not there is named, with what to do, before anything is measured', () => {
    expect(missingServers('')).toContainEqual(
      expect.stringMatching(/^Redis is not on .*redis-server.*tools\/peers\.ts/),
    )
    const ran = spawnSync(process.execPath, [runFile, 'peers'], { encoding: 'utf8', env: { PATH: '' } })
    expect(ran.status).toBe(1)
    expect(ran.stderr).toMatch(/^Redis is not on this machine/)
    expect(ran.stdout).toBe('')
  })
})

describe('a server process', () => {
  test('one that ends at once is an error with what it said', async () => {
    await using server = programServer("console.error('port is taken'); process.exit(3)", async () => false)
    await expect(server.answering()).rejects.toThrow(/did not start. It said:\nport is taken/)
  })

  test('a program that is not there is an error too', async () => {
    const options = { name: 'Nothing', program: '/nowhere/nothing', arguments: [], folder: tmpdir() }
    await using server = new ServerProcess({ ...options, ...signals, answers: async () => false })
    await expect(server.answering()).rejects.toThrow(/Nothing did not start/)
  })

  test('it is gone when its end was awaited, a second time nothing happens', async () => {
    const server = programServer('setInterval(() => {}, 1000)', async () => true)
    await server.answering()
    const pid = server.pid!
    expect(process.kill(pid, 0)).toBe(true)
    await server[Symbol.asyncDispose]()
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
    await server[Symbol.asyncDispose]()
  })
})

const signals = { stopSignal: 'SIGTERM', abortSignal: 'SIGKILL' } as const

function programServer(text: string, answers: () => Promise<boolean>): ServerProcess {
  const options = { name: 'The program', program: process.execPath, arguments: ['-e', text], folder: tmpdir() }
  return new ServerProcess({ ...options, ...signals, answers })
}

describe.skipIf(findServer(redisServer) === undefined)('Redis (optional: this machine has no redis-server)', () => {
  test('a server that does not keep what it answers is not measured', async () => {
    for (const [name, value] of Object.entries({ appendonly: 'no', appendfsync: 'everysec' })) {
      const { server, port } = await startRedis(newFolder(), { ...durableRedis, [name]: value })
      await using _server = server
      await server.answering()
      await expect(openRedisStore({ accounts: 10, port, database: 0, connections: 1 })).rejects.toThrow(
        `Redis says ${name} ${value}`,
      )
    }
  })

  test('transfers move money, and are refused one by one', async () => {
    const { server, port } = await startRedis(newFolder())
    await using _server = server
    await server.answering()
    await refusesAlone(await openRedisStore({ accounts: 10, port, database: 1, connections: 2, balance: 1 }))
  })
})

describe.skipIf(findServer(postgresServer) === undefined)('PostgreSQL (optional: no postgres and initdb here)', () => {
  test('a server that does not keep what it answers is not measured', async () => {
    for (const name of Object.keys(durablePostgres)) {
      const { server, url } = await startPostgres(newFolder(), { ...durablePostgres, [name]: 'off' })
      await using _server = server
      await server.answering()
      const opening = openPostgresStore({ accounts: 10, url, database: 'bank', connections: 1, together: 1 })
      await expect(opening).rejects.toThrow(`PostgreSQL says ${name} = off`)
    }
  })

  test.each([1, 100])('transfers move money, and are refused one by one, %i a call', async (together) => {
    const { server, url } = await startPostgres(newFolder())
    await using _server = server
    await server.answering()
    const options = { accounts: 10, url, database: 'bank', connections: 2, together, balance: 1 }
    await refusesAlone(await openPostgresStore(options))
  })
})

/** Accounts hold 1 each: of two transfers by one payer the second is refused, and what else was asked for is made. */
async function refusesAlone(store: PeerStore): Promise<void> {
  expect(await store.balances([0, 1, 9])).toEqual([1, 1, 1])
  await store.transfer(0, 1)
  const outcomes = await Promise.allSettled([store.transfer(2, 3), store.transfer(0, 4), store.transfer(6, 5)])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  await expect(store.transfer(7, 99)).rejects.toThrow(/unknown.account/i)
  expect(await store.balances([0, 1, 2, 3, 4, 5, 6, 7])).toEqual([0, 2, 0, 2, 1, 2, 0, 1])
  await store.close()
}

/** Command lines of processes that name the folder, but for the run itself. */
function processesWith(folder: string): readonly string[] {
  const lines = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout.split('\n')
  return lines.filter((line) => line.includes(folder) && !line.includes(childFile))
}

describe.skipIf(missingServers().length > 0)('a run (optional: this machine has no Redis or PostgreSQL)', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'that %s breaks off ends its servers and removes its folders',
    async (signal) => {
      const folder = newFolder()
      chmodSync(folder, 0o755)
      const run = spawn(process.execPath, [childFile, '--small', '--folder', folder], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const exited = once(run, 'exit')
      let said = ''
      for await (const piece of run.stderr) {
        said += String(piece)
        if (said.includes('measuring')) break
      }
      expect(said).toContain('measuring')
      const servers = processesWith(folder)
      expect(servers).toContainEqual(expect.stringContaining('redis-server'))
      expect(servers).toContainEqual(expect.stringContaining('postgres'))
      run.kill(signal)
      expect(await exited).toEqual([signal === 'SIGINT' ? 130 : 143, null])
      expect(processesWith(folder)).toEqual([])
      expect(readdirSync(folder)).toEqual([])
    },
  )
})
