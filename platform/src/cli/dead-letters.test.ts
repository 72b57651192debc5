import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { embedded } from '../embedded.ts'
import { isUnit, type Unit } from '../unit/index.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const platform = new URL('../index.ts', import.meta.url).href
const zod = import.meta.resolve('zod')
const home = mkdtempSync(join(tmpdir(), 'plenum-dead-letters-'))
const unitFile = join(home, 'shop.ts')
const bankFile = join(home, 'bank.ts')

/** A unit whose workers do what a port says; plenum knows nothing that it could give for it. */
const shop = `import { z } from ${JSON.stringify(zod)}
import { entry, port, unit, worker } from ${JSON.stringify(platform)}
const Order = entry('order', z.object({ id: z.string(), n: z.bigint(), state: z.enum(['new', 'paid']) }), { id: 'id' })
const retry = { attempts: 2, backoff: '1ms' }
export default unit('shop', { entries: [Order], uses: { bank: port() } }, {
  workers: {
    pay: worker({ entry: Order, where: { state: 'new' }, concurrency: 4, retry }, async (order, { tx, uses }) => {
      uses.bank(order)
      await tx.patch(Order, order, { state: 'paid' })
    }),
    remind: worker({ entry: Order, where: { state: 'new' }, retry }, async (order, { tx, uses }) => {
      uses.bank(order)
      await tx.remove(Order, order)
    }),
  },
})
`

/** A unit without ports, which \`plenum run\` can run. */
const broken = shop
  .replace(', uses: { bank: port() }', '')
  .replaceAll('uses.bank(order)', 'throw new Error("the bank\\nis closed")')
  .replace(
    'workers: {',
    "sources: { first: source(Order, { load: async function* ({ partition }) { if (partition === 0) yield [{ id: 'a', n: 1n, state: 'new' }] } }) }, workers: {",
  )
  .replace('unit, worker }', 'source, unit, worker }')

/** One schedule that always fails, and one that never ends. */
const clock = `import { schedule, unit } from ${JSON.stringify(platform)}
const each = { cron: '* * * * * *', zone: 'UTC', retry: { attempts: 1, backoff: '1ms' } }
export default unit('clock', { entries: [] }, {
  schedules: {
    report: schedule(each, async () => { throw new Error('no paper') }),
    count: schedule(each, async () => new Promise(() => {})),
  },
})
`

/** A unit whose messages are refused until the account is open. */
const bank = `import { z } from ${JSON.stringify(zod)}
import { entry, handler, unit, worker } from ${JSON.stringify(platform)}
const Account = entry('account', z.object({ id: z.string(), cents: z.bigint(), state: z.string() }), { id: 'id' })
const Gift = z.object({ from: z.string(), to: z.string(), cents: z.bigint(), note: z.string(), after: z.enum(['0ms', '300ms']) })
const deposit = handler({ input: Gift, route: 'to', refusals: { CLOSED: z.object({}) } }, ({ to, cents }, { partition, refuse }) => {
  if (partition.get(Account, { id: to })?.state !== 'open') throw refuse('CLOSED', {})
  partition.patch(Account, { id: to }, { cents })
})
export default unit('bank', { entries: [Account] }, {
  handlers: {
    deposit,
    give: handler({ input: Gift, route: 'from' }, (gift, { send }) => send(deposit, gift, { after: gift.after })),
  },
  workers: {
    check: worker({ entry: Account, where: { state: 'odd' }, retry: { attempts: 1 } }, () => { throw new Error('odd') }),
  },
})
`

function plenum(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'dead-letters', ...args], {
    cwd: home,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}

async function loaded(file = unitFile): Promise<Unit> {
  const { default: unit } = (await import(pathToFileURL(file).href)) as { readonly default: unknown }
  if (!isUnit(unit)) throw new Error('no unit')
  return unit
}

/** Runs the unit over the folder until every order that is not paid is a dead letter of both workers. */
async function run(folder: string, bank: () => void): Promise<{ readonly paid: number; readonly dead: number }> {
  await using client = await embedded({ unit: await loaded(), folder, ack: 'os', uses: { bank } })
  const { space, workers } = client as unknown as {
    readonly space: {
      count(type: string, where: object): Promise<number>
      insertAll(type: string, all: readonly object[]): Promise<unknown>
    }
    readonly workers: Readonly<Record<string, { deadLetters(): Promise<readonly unknown[]> }>>
  }
  if ((await space.count('order', {})) === 0)
    await space.insertAll(
      'order',
      ['a', 'b', 'c'].map((id) => ({ id, n: 9n, state: 'new' })),
    )
  for (;;) {
    const dead = (await Promise.all([workers['pay']!.deadLetters(), workers['remind']!.deadLetters()])).flat().length
    const left = await space.count('order', { state: 'new' })
    if (2 * left === dead) return { paid: await space.count('order', { state: 'paid' }), dead }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

interface BankClient extends AsyncDisposable {
  readonly space: {
    write(type: string, value: object): Promise<unknown>
    get(type: string, key: object): Promise<unknown>
  }
  readonly handlers: { give(gift: object): Promise<unknown> }
  readonly workers: { readonly check: { deadLetters(): Promise<readonly unknown[]> } }
  readonly messages: { pending(): Promise<number> }
}

async function openBank(folder: string, workers = true): Promise<BankClient> {
  return (await embedded({ unit: await loaded(bankFile), folder, ack: 'os', workers })) as unknown as BankClient
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

const closed = (): void => {
  throw new Error('\u001B[31mthe bank\u001B[0m\nis closed')
}

beforeAll(() => {
  writeFileSync(unitFile, shop)
  writeFileSync(join(home, 'broken.ts'), broken)
  writeFileSync(join(home, 'clock.ts'), clock)
  writeFileSync(bankFile, bank)
})

afterAll(() => rmSync(home, { recursive: true }))

test('[UN3] dead letters are listed by worker, sent back, and worked on by the next start', async () => {
  const folder = join(home, 'listed')
  expect(await run(folder, closed)).toEqual({ paid: 0, dead: 6 })
  const listed = plenum(unitFile, '--folder', folder)
  expect([listed.code, listed.err]).toEqual([0, ''])
  expect(listed.out).toMatch(/^worker +type +key +attempts +last at +last error\n/)
  expect(listed.out).toMatch(/^pay +order +\{"id":"a"\} +2 +\d{4}-\d\d-\d\dT\S+Z +Error: the bank is closed$/m)
  expect(listed.out).toContain(`6 dead letters in ${folder}.`)

  const report = JSON.parse(plenum(unitFile, '--folder', folder, '--worker', 'pay', '--json').out)
  expect(report).toMatchObject({ folder, workers: ['pay'] })
  expect(report.deadLetters).toHaveLength(3)
  expect(report.deadLetters[0]).toMatchObject({ worker: 'pay', type: 'order', attempts: 2, value: { n: '9n' } })
  expect(report.deadLetters[0].errors).toHaveLength(2)

  const sent = plenum(unitFile, '--folder', folder, '--worker', 'pay', '--send-back')
  expect([sent.code, sent.err]).toEqual([0, ''])
  expect(sent.out).toContain('3 dead letters sent back: the next start works on them again.')
  expect(plenum(unitFile, '--folder', folder, '--worker', 'pay').out).toBe(`No dead letters in ${folder}.\n`)
  expect(plenum(unitFile, '--folder', folder, '--worker', 'remind').out).toContain('3 dead letters in')
  expect(await run(folder, () => {})).toEqual({ paid: 3, dead: 0 })
  expect(JSON.parse(plenum(unitFile, '--folder', folder, '--send-back', '--json').out)).toMatchObject({ sentBack: 0 })
})

test('[UN3] a folder of nothing is left as it is, and one in use says who can tell', async () => {
  const nowhere = join(home, 'nowhere')
  const missing = plenum(unitFile, '--folder', nowhere)
  expect([missing.code, missing.out]).toEqual([2, ''])
  expect(missing.err).toMatch(/^USAGE: There is no grid in the folder /)
  expect(existsSync(nowhere)).toBe(false)

  const folder = join(home, 'used')
  await using client = await embedded({ unit: await loaded(), folder, ack: 'os', uses: { bank: () => {} } })
  expect(client.partitions).toBe(4)
  const { code, err } = plenum(unitFile, '--folder', folder)
  expect(code).toBe(1)
  expect(err).toMatch(/^FOLDER_IN_USE: .*deadLetters\(\)/)
})

test('[UN3] [A9] plenum run says it when an entry becomes a dead letter', async () => {
  const args = [main, 'run', join(home, 'broken.ts'), '--folder', join(home, 'run'), '--ack', 'os', '--partitions', '1']
  const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.setEncoding('utf8')
  let text = ''
  for await (const chunk of child.stderr) {
    text += String(chunk)
    if (text.split('is a dead letter').length > 2) child.kill('SIGINT')
  }
  expect(text).toContain(
    'warning: an entry is a dead letter, after 2 attempts of the worker pay: Error: the bank is closed\n',
  )
  expect(text).toContain('worker remind')
})

test('[UN8] [A9] plenum run warns of due times, and dead letters of schedules are listed and sent back', async () => {
  const [file, folder] = [join(home, 'clock.ts'), join(home, 'clock')]
  const args = [main, 'run', file, '--folder', folder, '--ack', 'os', '--partitions', '2']
  const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.setEncoding('utf8')
  let text = ''
  for await (const chunk of child.stderr) {
    text += String(chunk)
    if (text.includes(' missed ')) child.kill('SIGKILL')
  }
  expect(text).toContain(
    'warning: a due time is a dead letter, after 1 attempts of the schedule report: Error: no paper\n',
  )
  expect(text).toMatch(/^warning: the schedule count missed \d{4}-\d\d-\d\dT\S+Z, 0 s late: .+\.$/m)

  const listed = plenum(file, '--folder', folder)
  expect([listed.code, listed.err]).toEqual([0, ''])
  const time = String.raw`\d{4}-\d\d-\d\dT\S+Z`
  expect(listed.out).toMatch(
    new RegExp(String.raw`^schedule report +plenum\.due +${time} +1 +${time} +Error: no paper$`, 'm'),
  )
  expect(JSON.parse(plenum(file, '--folder', folder, '--schedule', 'count', '--json').out)).toEqual({
    folder,
    workers: [],
    schedules: ['count'],
    deadLetters: [],
  })
  const sent = plenum(file, '--folder', folder, '--schedule', 'report', '--send-back')
  expect([sent.code, sent.err]).toEqual([0, ''])
  expect(sent.out).toMatch(/^schedule report/m)
  expect(plenum(file, '--folder', folder).out).toBe(`No dead letters in ${folder}.\n`)
})

test('[UN12] dead messages are listed beside what workers have given up, and sent back', async () => {
  const folder = join(home, 'bank')
  {
    await using client = await openBank(folder)
    const { space, handlers, workers, messages } = client
    await space.write('account', { id: 'strange', cents: 0n, state: 'odd' })
    const long = 'a note\n'.repeat(40)
    await handlers.give({ from: 'a', to: 'closed', cents: 9n, note: long, after: '0ms' })
    await until(async () => (await messages.pending()) === 0 && (await workers.check.deadLetters()).length === 1)
  }
  const listed = plenum(bankFile, '--folder', folder)
  expect([listed.code, listed.err]).toEqual([0, ''])
  expect(listed.out).toMatch(/^worker +type .*\ncheck +account +\{"id":"strange"\} +1 /)
  expect(listed.out).toMatch(/^message to +input +last at +last error$/m)
  expect(listed.out).toMatch(/^deposit +\{"from":"a","to":"closed","cents":"9n".{1,30}… +\d{4}-\S+Z +REFUSED: .+$/m)
  expect(listed.out).toContain(`2 dead letters, 1 of them a message, in ${folder}.`)

  const report = JSON.parse(plenum(bankFile, '--folder', folder, '--json').out)
  expect(report).toMatchObject({ folder, workers: ['check'], schedules: [], deadLetters: [{ worker: 'check' }] })
  expect(report.messages).toMatchObject([{ handler: 'deposit', input: { to: 'closed', cents: '9n' } }])
  expect(report.messages[0].errors).toHaveLength(1)

  const worker = JSON.parse(plenum(bankFile, '--folder', folder, '--worker', 'check', '--send-back', '--json').out)
  expect(worker).toMatchObject({ deadLetters: [{ worker: 'check' }], sentBack: 1 })
  expect(worker).not.toHaveProperty('messages')

  {
    await using client = await openBank(folder, false)
    await client.space.write('account', { id: 'closed', cents: 0n, state: 'open' })
  }
  const sent = plenum(bankFile, '--folder', folder, '--send-back')
  expect([sent.code, sent.err]).toEqual([0, ''])
  expect(sent.out).toContain('1 dead letter sent back: the next start works on it again.')
  await using client = await openBank(folder)
  await until(async () => (await client.messages.pending()) === 0)
  expect(await client.space.get('account', { id: 'closed' })).toEqual({ id: 'closed', cents: 9n, state: 'open' })
})

test('[UN12] [A9] plenum run says it when a message becomes a dead letter', async () => {
  const folder = join(home, 'late')
  {
    await using client = await openBank(folder)
    await client.handlers.give({ from: 'a', to: 'closed', cents: 9n, note: '', after: '300ms' })
  }
  const args = [main, 'run', bankFile, '--folder', folder, '--ack', 'os']
  const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.setEncoding('utf8')
  let text = ''
  for await (const chunk of child.stderr) {
    text += String(chunk)
    if (text.includes('\n')) child.kill('SIGINT')
  }
  expect(text).toMatch(/^warning: a message to the handler deposit is a dead letter: REFUSED: .+\n/)
})
