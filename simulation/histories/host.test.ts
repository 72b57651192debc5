import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Host } from './host.ts'

const manner = { timeout: undefined, confirmed: false } as const
const write = { f: 'write', value: 1 } as const
let folder = ''

beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'plenum-host-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

const work = { begin: () => Promise.resolve(0), end: () => Promise.resolve() }

function hostOf(name: string, onAnswer: () => void = () => undefined): Host {
  return new Host({ workload: 'set', folder: join(folder, name), partitions: 1, work, onAnswer })
}

test('who asks a process that is killed hears that nobody knows, and the next one is asked by itself', async () => {
  let answers = 0
  const host = hostOf('killed', () => void (answers += 1))
  await host.start()
  await host.ask(write, manner)
  // The question is on its way before the kill, and nobody hears its answer.
  const [open] = await Promise.allSettled([host.ask({ f: 'write', value: 2 }, manner), host.killAndStart()])
  expect(open).toMatchObject({ status: 'rejected', reason: { code: 'UNKNOWN_OUTCOME' } })
  // It waits for the process that starts, and for the one after it.
  const later = host.ask({ f: 'read' }, manner)
  await host.killAndStart()
  const { value } = await later
  expect(value).toContain(1)
  expect(answers).toBe(2)
  // What is refused comes as the error that it was.
  await expect(host.ask(write, manner)).rejects.toMatchObject({ code: 'ENTRY_EXISTS', retry: 'never' })
  await host.close()
})

test('a process that does not start, or ends though nobody killed it, is a finding and no unknown outcome', async () => {
  await writeFile(join(folder, 'file'), 'no folder')
  const host = hostOf('file')
  await expect(host.start()).rejects.toThrow('The process does not start')
  await expect(host.ask(write, manner)).rejects.toThrow('The process does not start')
  await host.kill()
})
