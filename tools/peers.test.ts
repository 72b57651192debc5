import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { missingServers } from '../benchmarks/servers/find-servers.ts'
import { repositoryRoot } from './repository.ts'

const tool = join(repositoryRoot, 'tools/peers.ts')

test('where nothing can be installed, each missing server is named with what to do, and the tool fails', () => {
  const ran = spawnSync(process.execPath, [tool], { encoding: 'utf8', env: { PATH: '' } })
  expect(ran.status).toBe(1)
  expect(ran.stderr.trimEnd().split('\n')).toEqual(['This machine has no apt-get.', ...missingServers('')])
  expect(ran.stderr).toMatch(/install Redis 7 or newer .* put redis-server on the PATH/)
})

test.skipIf(missingServers().length > 0)(
  'what is there is listed (optional: this machine has no Redis or PostgreSQL)',
  () => {
    const ran = spawnSync(process.execPath, [tool], { encoding: 'utf8' })
    expect(ran.status).toBe(0)
    expect(ran.stderr).toBe('')
    expect(ran.stdout).toMatch(/^Redis \d\S+: .*redis-server\nPostgreSQL \d\S+: .*postgres, .*initdb\n$/)
  },
)
