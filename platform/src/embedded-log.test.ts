import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  embedded,
  entry,
  handler,
  service,
  task,
  unit,
  worker,
  type EmbeddedOptions,
  type Log,
  type LogLevel,
} from './index.ts'

const Job = entry('job', z.object({ id: z.string(), state: z.enum(['new', 'done']) }), { id: 'id' })
const Ask = z.object({ id: z.string() })

const jobs = unit(
  'jobs',
  { entries: [Job] },
  {
    handlers: {
      add: handler(
        { input: Ask, route: 'id', refusals: { NO: z.object({}) } },
        ({ id }, { partition, log, refuse }) => {
          log.info('adding', { id })
          if (id === 'refused') throw refuse('NO', {})
          if (id === 'broken') throw new Error('a defect')
          partition.insert(Job, { id, state: 'new' })
          log.debug('added')
        },
      ),
      look: handler({ input: Ask, route: 'id' }, ({ id }, { partition, log }) => {
        log.warn('looking')
        return partition.get(Job, { id })?.state
      }),
    },
    workers: {
      work: worker({ entry: Job, where: { state: 'new' } }, async (job, { tx, log }) => {
        log.info('working')
        await tx.patch(Job, job, { state: 'done' })
      }),
    },
    services: {
      serve: service({ input: z.object({}) }, async (_, { log }) => {
        log.info('serving')
      }),
    },
    tasks: {
      count: task(
        { input: z.object({}) },
        (_, { log, index }) => {
          log.info('counting')
          return index
        },
        (a, b) => a + b,
      ),
    },
  },
)

interface Line {
  readonly level: LogLevel
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>>
}

function listed(): { readonly lines: Line[]; readonly log: Log } {
  const lines: Line[] = []
  const at = (level: LogLevel) => (fields: Line['fields'], text: string) => void lines.push({ level, text, fields })
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

/** A busy machine must not add lines of its own. */
const quiet = { slowStretchMs: 60_000, slowOperationMs: 600_000 }

const opened = (options: Partial<EmbeddedOptions<typeof jobs>>) =>
  embedded({ unit: jobs, journal: 'memory', workers: false, limits: quiet, ...options })

test('[DG5] a handler logs once its call is acked, with its record; one that failed at once, as undone', async () => {
  const { lines, log } = listed()
  await using client = await opened({ log, partitions: 1 })
  await client.handlers.add({ id: 'a' })
  await client.handlers.add.attempt({ id: 'refused' })
  await client.handlers.add({ id: 'broken' }).catch(() => undefined)
  await client.handlers.add({ id: 'a' }).catch(() => undefined)
  await client.handlers.look({ id: 'a' })
  const logged = lines.filter(({ fields }) => fields['part'] !== undefined && fields['error'] === undefined)
  const place = { unit: 'jobs', part: 'handler add', partition: 0 }
  expect(logged).toEqual([
    { level: 'info', text: 'adding', fields: { ...place, data: { id: 'a' }, epoch: 1, index: expect.any(Number) } },
    { level: 'debug', text: 'added', fields: { ...place, epoch: 1, index: logged[0]?.fields['index'] } },
    { level: 'info', text: 'adding', fields: { ...place, data: { id: 'refused' }, undone: true } },
    { level: 'info', text: 'adding', fields: { ...place, data: { id: 'broken' }, undone: true } },
    { level: 'info', text: 'adding', fields: { ...place, data: { id: 'a' }, undone: true } },
    {
      level: 'warn',
      text: 'looking',
      fields: { ...place, part: 'handler look', epoch: 1, index: expect.any(Number) },
    },
  ])
  const [fault] = lines.filter(({ fields }) => fields['error'] !== undefined)
  expect(fault).toMatchObject({ level: 'error', text: 'the handler add threw', fields: { unit: 'jobs', partition: 0 } })
})

test('[DG5] a recovery logs nothing of what was done before, and closing loses no line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-log-'))
  const texts: string[][] = []
  for (let start = 0; start < 2; start++) {
    const { lines, log } = listed()
    const client = await opened({ log, journal: { folder }, partitions: 2 })
    const call = start === 0 ? client.handlers.add({ id: 'a' }) : Promise.resolve()
    await client[Symbol.asyncDispose]()
    await call
    texts.push(lines.filter(({ fields }) => fields['part'] !== undefined).map(({ text }) => text))
  }
  expect(texts).toEqual([['adding', 'added'], []])
  rmSync(folder, { recursive: true })
})

test('[DG5] workers, services and tasks log at once, by their names', async () => {
  const { lines, log } = listed()
  await using client = await opened({ log, partitions: 2, workers: true })
  await client.handlers.add({ id: 'a' })
  await client.services.serve({})
  await client.tasks.count({}).total()
  await expect.poll(() => client.space.count(Job, { state: 'done' })).toBe(1)
  const texts = lines.map(({ text, fields }) => `${String(fields['part'])}: ${text}`)
  expect(texts).toEqual(expect.arrayContaining(['worker work: working', 'service serve: serving']))
  expect(texts.filter((text) => text === 'task count: counting')).toHaveLength(2)
})

test('[DG5] [A9] events are lines, with a level; entries and inputs are not among them', async () => {
  const { lines, log } = listed()
  const failing = unit(
    'failing',
    { entries: [Job] },
    {
      workers: {
        work: worker({ entry: Job, where: { state: 'new' }, retry: { attempts: 1, backoff: '1ms' } }, async () => {
          throw new Error('not today')
        }),
      },
    },
  )
  await using client = await embedded({ unit: failing, journal: 'memory', log })
  await client.space.insert(Job, { id: 'secret', state: 'new' })
  await expect.poll(() => lines.some(({ text }) => text === 'all attempts of the worker work have failed')).toBe(true)
  expect(lines.filter(({ text }) => text === 'role').every(({ level }) => level === 'debug')).toBe(true)
  expect(lines.map(({ text }) => text)).toContain('the worker work threw')
  expect(JSON.stringify(lines)).not.toContain('secret')
})

test('[DG2] a slow operation is a line that says what was slow', async () => {
  const { lines, log } = listed()
  await using client = await opened({ log, partitions: 1, limits: { ...quiet, slowOperationMs: 1e-9 } })
  await client.space.insert(Job, { id: 'secret', state: 'new' })
  const [slow] = lines.filter(({ text }) => text.startsWith('a slow '))
  expect(slow).toMatchObject({ level: 'warn', text: 'a slow append', fields: { partition: 0, operation: 'append' } })
  expect(Object.keys(slow?.fields ?? {}).toSorted()).toEqual([
    'ackMs',
    'executeMs',
    'more',
    'ms',
    'of',
    'operation',
    'partition',
    'unit',
    'waitMs',
  ])
})

test('a log that throws ends nothing, and what is no log is USAGE', async () => {
  const broken = (): never => {
    throw new Error('the disk of the log is full')
  }
  const thrown: unknown[] = []
  const catching = (error: unknown): void => void thrown.push(error)
  const before = process.rawListeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', catching)
  const client = await opened({ log: { debug: broken, info: broken, warn: broken, error: broken } })
  await client.handlers.look({ id: 'a' })
  await client[Symbol.asyncDispose]()
  await expect.poll(() => thrown.length).toBeGreaterThan(0)
  process.off('uncaughtException', catching)
  for (const listener of before) process.on('uncaughtException', listener as NodeJS.UncaughtExceptionListener)
  await expect(opened({ log: 'loud' as LogLevel })).rejects.toMatchObject({ code: 'USAGE' })
  await expect(opened({ log: { info: () => {} } as unknown as Log })).rejects.toMatchObject({ code: 'USAGE' })
})

test('[DG5] a level is JSON on the standard output, a line each, with errors and their causes', () => {
  const program = `
    import { embedded, entry, handler, task, unit } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
    const Job = entry('job', z.object({ id: z.string() }), { id: 'id' })
    const jobs = unit('jobs', { entries: [Job] }, { handlers: {
      add: handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, { partition, log }) => {
        log.info('adding', { id })
        log.debug('not this')
        if (id === 'b') throw new Error('outside', { cause: new Error('inside') })
        partition.insert(Job, { id })
      }) }, tasks: { count: task({ input: z.object({}) }, (_, { log }) => log.info('counting'), (a) => a) } })
    const client = await embedded({ unit: jobs, journal: 'memory', partitions: 1, log: 'info', limits: ${JSON.stringify(quiet)} })
    await client.tasks.count({}).total()
    await client.handlers.add({ id: 'a' })
    await client.handlers.add({ id: 'b' }).catch(() => {})
    process.kill(process.pid, 'SIGKILL')
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
  const lines = child.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    ['info', 'counting'],
    ['info', 'adding'],
    ['info', 'adding'],
    ['error', 'the handler add threw'],
  ])
  expect(lines[1]).toMatchObject({ unit: 'jobs', part: 'handler add', partition: 0, epoch: 1, data: { id: 'a' } })
  expect(lines[2]).toMatchObject({ undone: true })
  expect(JSON.stringify(lines[3])).toContain('inside')
  expect(String(lines[0]?.['time'])).toMatch(/^\d{4}-\d\d-\d\dT/)
})
