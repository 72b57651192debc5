import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, handler, isPlenumError, port, unit, workflow, type WorkflowContext } from '../index.ts'
import { resources } from '../unit/contract/resources.ts'

interface Outside {
  do(what: string, key: string, attempt: number): unknown
}

const uses = { outside: port<Outside>() }
const Account = entry('account', z.object({ id: z.string(), amount: z.int() }), { id: 'id' })
const messages = { go: z.object({ by: z.string() }), stop: z.object({}) }
type Context = WorkflowContext<typeof uses, typeof messages>
type Flow = (input: { readonly n: number }, context: Context) => Promise<unknown>

const retry = { attempts: 3, backoff: '2ms' } as const
const input = z.object({ n: z.int() })

function flowOf(run: Flow, options: { readonly version?: number; readonly keep?: '5ms' | 'forever' } = {}) {
  return workflow('flow', { input, uses, messages, retry, timeout: '5s', ...options }, run)
}

function unitOf(flow: ReturnType<typeof flowOf>) {
  const nudge = handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, { send }) => {
    send(flow.handlers['flow-send'], { id, name: 'go', data: { by: 'a handler' } })
  })
  return unit(
    'shop',
    { entries: [Account, ...flow.entries], uses },
    {
      handlers: { ...flow.handlers, nudge },
      workers: flow.workers,
    },
  )
}

const { open, newFolder } = resources()

/** An application with one workflow, and what its steps did outside. */
async function start(flow: ReturnType<typeof flowOf>, done: Outside['do'] = () => undefined, folder?: string) {
  const seen: string[] = []
  const keys = new Map<string, Set<string>>()
  const outside: Outside = {
    do(what, key, attempt) {
      seen.push(what)
      keys.set(what, (keys.get(what) ?? new Set()).add(key))
      return done(what, key, attempt)
    },
  }
  const place = folder === undefined ? ({ journal: 'memory' } as const) : { folder, ack: 'os' as const }
  const client = await embedded({ unit: unitOf(flow), uses: { outside }, ...place })
  open.push(client)
  return { client, flows: flow.on(client), seen, keys, close: () => client[Symbol.asyncDispose]() }
}

/** Waits until something is so; the test's own time-out ends it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2))
}

/** The instance once nothing becomes of it by itself. */
async function atRest(flows: ReturnType<ReturnType<typeof flowOf>['on']>, id: string) {
  const rests = new Set(['stopped', 'done', 'failed', 'cancelled'])
  await until(async () => rests.has((await flows.get(id))?.status ?? ''))
  return (await flows.get(id))!
}

const failure = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

test('[WF1] a step counts once: what it returned and did by tx stands, whatever fails later, and how often it runs', async () => {
  const flow = flowOf(async ({ n }, { step }) => {
    const paid = await step('pay', async ({ uses: { outside }, tx, key, attempt }) => {
      outside.do('pay', key, attempt)
      await tx.change(Account, { id: 'till' }, { add: { amount: n } })
      return { receipt: `r${n}` }
    })
    await step('ship', ({ uses: { outside }, key, attempt }) => void outside.do('ship', key, attempt))
    return paid
  })
  const { client, flows, seen, keys } = await start(flow, (what, _, attempt) => {
    if (what === 'ship' && attempt < 3) throw new Error('no van')
  })
  await client.space.insert(Account, { id: 'till', amount: 0 })
  await flows.start('a', { n: 7 })
  expect(await flows.result('a')).toEqual({ receipt: 'r7' })
  expect(seen).toEqual(['pay', 'ship', 'ship', 'ship'])
  expect(await client.space.get(Account, { id: 'till' })).toEqual({ id: 'till', amount: 7 })
  expect([...keys.values()].map((set) => [...set])).toEqual([['shop/flow/a/0/pay'], ['shop/flow/a/1/ship']])
})

test('[WF1] what a step did by tx is undone with it when its function throws or meets a conflict', async () => {
  const flow = flowOf(async (_, { step }) =>
    step('pay', async ({ uses: { outside }, tx, key, attempt }) => {
      const before = await tx.get(Account, { id: 'till' })
      await outside.do('pay', key, attempt)
      await tx.write(Account, { id: 'till', amount: (before?.amount ?? 0) + 1 })
      await tx.insert(Account, { id: `attempt ${attempt}`, amount: 0 })
      if (attempt === 1) throw new Error('after its change')
      return before?.amount
    }),
  )
  let disturbed = false
  const { client, flows, seen } = await start(flow, async (_what, _key, attempt) => {
    if (attempt === 1 || disturbed) return
    disturbed = true
    await client.space.write(Account, { id: 'till', amount: 10 })
  })
  await flows.start('a', { n: 1 })
  expect(await flows.result('a')).toBe(10)
  expect(seen).toEqual(['pay', 'pay', 'pay'])
  expect((await client.space.get(Account, { id: 'till' }))?.amount).toBe(11)
  expect(await client.space.readAll(Account, { amount: 0 })).toEqual([{ id: 'attempt 2', amount: 0 }])
})

test('[WF2] an instance begins once for its id, tells its result to whoever asks, and is forgotten in the end', async () => {
  const flow = flowOf(async ({ n }, { step }) => step('add', () => n + 1), { keep: '5ms' })
  const { client, flows } = await start(flow)
  expect(await flows.start('a', { n: 1 })).toEqual({ id: 'a', isNew: true })
  expect(await flows.start('a', { n: 1 })).toEqual({ id: 'a', isNew: false })
  await expect(flows.start('a', { n: 2 })).rejects.toEqual(failure('ENTRY_EXISTS', { type: 'flow' }))
  expect(await flows.result('a')).toBe(2)
  await expect(flows.result('nobody')).rejects.toEqual(failure('ENTRY_MISSING'))
  await until(async () => (await flows.get('a')) === undefined)
  expect(await client.space.count(flow.steps, {})).toBe(0)
  await expect(flows.start('', { n: 1 })).rejects.toEqual(failure('VALUE_INVALID', { field: 'id' }))
  const wrong: object = { n: 'one' }
  await expect(flows.start('b', wrong as { n: number })).rejects.toEqual(failure('VALUE_INVALID', { field: 'n' }))
})

test('[WF3] a sleep holds no claim, survives a restart, and takes its time from when it began', async () => {
  const folder = newFolder()
  const run: Flow = async ({ n }, { step, sleep }) => {
    await step('one', ({ uses: { outside }, key }) => void outside.do('one', key, 1))
    await sleep(n === 1 ? '400ms' : '1h')
    return step('two', ({ uses: { outside }, key }) => void outside.do('two', key, 1))
  }
  const first = await start(flowOf(run), undefined, folder)
  await first.flows.start('a', { n: 1 })
  await until(async () => (await first.flows.get('a'))?.status === 'sleeping')
  const asleep = await first.flows.get('a')
  await first.flows.start('long', { n: 2 })
  await until(async () => (await first.flows.get('long'))?.status === 'sleeping')
  await until(() => first.client.workers.flow.running === 0)
  await first.close()
  const second = await start(flowOf(run), undefined, folder)
  await second.flows.result('a')
  expect([...first.seen, ...second.seen].toSorted()).toEqual(['one', 'one', 'two'])
  const ended = await second.flows.get('a')
  expect(ended?.endedAt).toBeGreaterThanOrEqual(asleep?.wakeAt ?? Infinity)
})

test('[WF3] messages are kept until they are received, in their order, and a wait ends at its time-out', async () => {
  const flow = flowOf(async (_, { receive }) => {
    const first = await receive('go')
    const second = await receive('go', { timeout: '1h' })
    const third = await receive('stop', { timeout: '20ms' })
    return [first.by, second?.by, third === undefined]
  })
  const { client, flows } = await start(flow)
  await flows.start('a', { n: 1 })
  await until(async () => (await flows.get('a'))?.status === 'waiting')
  expect(await flows.send('a', 'go', { by: 'ann' })).toBe(true)
  await client.handlers.nudge({ id: 'a' })
  expect(await flows.result('a')).toEqual(['ann', 'a handler', true])
  expect(await flows.send('a', 'go', { by: 'late' })).toBe(false)

  await flows.start('b', { n: 1 })
  for (const by of ['one', 'two']) await flows.send('b', 'go', { by })
  expect(await flows.result('b')).toEqual(['one', 'two', true])
  const wrong: object = { by: 7 }
  await expect(flows.send('b', 'go', wrong as { by: string })).rejects.toEqual(failure('VALUE_INVALID'))
  await expect(flows.send('b', 'never' as 'go', { by: '' })).rejects.toEqual(
    failure('VALUE_INVALID', { field: 'name' }),
  )
  await expect(flows.send('nobody', 'stop', {})).rejects.toEqual(failure('ENTRY_MISSING'))
})

test('[WF3] an entry is waited for without a look at it in between, and what was found stands', async () => {
  const flow = flowOf(async ({ n }, { until: entryOf, step }) => {
    const found = await entryOf(Account, { id: `a${n}`, amount: { gt: 10 } })
    const none = await entryOf(Account, { id: 'never' }, { timeout: '20ms' })
    await step('late', ({ uses: { outside }, key, attempt }) => void outside.do('late', key, attempt))
    return [found.amount, none === undefined]
  })
  const { client, flows, close } = await start(flow, (_what, _key, attempt) => {
    if (attempt === 1) throw new Error('runs again')
  })
  for (const n of [1, 2]) await flows.start(`i${n}`, { n })
  await until(async () => (await client.space.count(flow.instances, { looking: true })) === 2)
  await client.space.write(Account, { id: 'a1', amount: 5 })
  await client.space.write(Account, { id: 'a1', amount: 50 })
  await until(async () => (await flows.get('i1'))?.looking === false)
  await client.space.write(Account, { id: 'a1', amount: 60 })
  expect(await flows.result('i1')).toEqual([50, true])
  expect((await flows.get('i2'))?.status).toBe('waiting')
  // Closing waits for nobody who only waits.
  await close()
})

test('[WF4] a step is tried as often as is said, then throws the same in each run; a refusal is not tried again', async () => {
  const flow = flowOf(async ({ n }, { step }) => {
    const how = await step('first', ({ uses: { outside }, key, attempt }) => outside.do('first', key, attempt)).then(
      () => 'well',
      (error: unknown) => error,
    )
    await step('second', ({ uses: { outside }, key, attempt, refuse }) => {
      outside.do('second', key, attempt)
      if (n === 2) throw refuse('TOO_LATE', { n })
    })
    return isPlenumError(how, 'WORKFLOW_STEP_FAILED') ? how.message : 'something else'
  })
  const { flows, seen } = await start(flow, (what, _, attempt) => {
    if (what === 'first' || attempt === 1) throw new Error(`${what} ${attempt}`)
  })
  await flows.start('a', { n: 1 })
  expect(await flows.result('a')).toBe("Step 'first' of workflow 'flow' has failed: first 3")
  expect(seen).toEqual(['first', 'first', 'first', 'second', 'second'])
  seen.length = 0

  await flows.start('b', { n: 2 })
  await expect(flows.result('b')).rejects.toEqual(
    failure('WORKFLOW_FAILED', { status: 'failed', step: 'second', code: 'REFUSED' }),
  )
  expect((await flows.get('b'))?.error?.refusal).toEqual({ reason: 'TOO_LATE', data: { n: 2 } })
  // The first attempt threw as a fault, the second one refused.
  expect(seen).toEqual(['first', 'first', 'first', 'second', 'second'])
})

test('[WF4] a step that does not return in time has failed, and its trouble can be read meanwhile', async () => {
  const flow = workflow(
    'flow',
    { input, uses, messages, retry: { attempts: 2, backoff: '200ms' }, timeout: '20ms' },
    (_, { step }) =>
      step(
        'hang',
        ({ signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ),
  )
  const { flows } = await start(flow)
  await flows.start('a', { n: 1 })
  await until(async () => (await flows.get('a'))?.status === 'retrying')
  expect((await flows.get('a'))?.trouble).toMatchObject({ code: 'TIMEOUT', step: 'hang', number: 0, attempts: 1 })
  await expect(flows.result('a')).rejects.toEqual(failure('WORKFLOW_FAILED', { code: 'TIMEOUT', step: 'hang' }))
})

const saga: Flow = async ({ n }, { step, receive }) => {
  for (const name of ['a', 'b', 'c']) {
    await step(
      name,
      async ({ uses: { outside }, tx, key, attempt }) => {
        outside.do(name, key, attempt)
        await tx.insert(Account, { id: name, amount: n })
        return name.toUpperCase()
      },
      {
        undo: async (result, { uses: { outside }, tx, key, attempt }) => {
          outside.do(`undo ${result}`, key, attempt)
          await tx.remove(Account, { id: name })
        },
      },
    )
  }
  if (n === 1) throw new Error('it does not please')
  await receive('go')
  return 'kept'
}

test('[WF5] what fails is undone: last step first, each once, as steps of their own', async () => {
  const { client, flows, seen, keys } = await start(flowOf(saga), (what, _, attempt) => {
    if (what === 'undo B' && attempt < 3) throw new Error('not yet')
  })
  await flows.start('i', { n: 1 })
  await expect(flows.result('i')).rejects.toEqual(failure('WORKFLOW_FAILED', { message: 'it does not please' }))
  expect(seen).toEqual(['a', 'b', 'c', 'undo C', 'undo B', 'undo B', 'undo B', 'undo A'])
  expect([...(keys.get('undo B') ?? [])]).toEqual(['shop/flow/i/1/b/undo'])
  expect(await client.space.count(Account, {})).toBe(0)
  expect(await client.space.count(flowOf(saga).steps, { state: 'undone' })).toBe(3)
})

test('[WF5] cancelled, it is undone too; what cannot be undone stops it, until somebody has it go on', async () => {
  let isBroken = true
  const { client, flows, seen } = await start(flowOf(saga), (what) => {
    if (what === 'undo B' && isBroken) throw new Error('no way')
  })
  await flows.start('i', { n: 2 })
  await until(async () => (await flows.get('i'))?.status === 'waiting')
  expect(await flows.cancel('i')).toBe(true)
  expect(await flows.cancel('i')).toBe(false)
  expect((await atRest(flows, 'i')).trouble).toMatchObject({ message: 'no way', step: 'b', attempts: 3 })
  isBroken = false
  expect(await flows.resume('i')).toBe(true)
  await expect(flows.result('i')).rejects.toEqual(failure('WORKFLOW_FAILED', { status: 'cancelled' }))
  expect(seen.slice(3)).toEqual(['undo C', 'undo B', 'undo B', 'undo B', 'undo B', 'undo A'])
  expect(await client.space.count(Account, {})).toBe(0)
  expect([await flows.resume('i'), await flows.cancel('i')]).toEqual([false, false])
})

test('[WF5] a cancel lets the step at hand end, so that it can be undone', async () => {
  const gate = Promise.withResolvers<void>()
  const { flows, seen } = await start(
    flowOf(async (_, { step }) => {
      await step('pay', async ({ uses: { outside }, key }) => outside.do('pay', key, 1), {
        undo: (_result, { uses: { outside }, key }) => void outside.do('refund', key, 1),
      })
      await step('ship', ({ uses: { outside }, key }) => void outside.do('ship', key, 1))
    }),
    (what) => (what === 'pay' ? gate.promise : undefined),
  )
  await flows.start('i', { n: 1 })
  await until(() => seen.length === 1)
  await flows.cancel('i')
  gate.resolve()
  await expect(flows.result('i')).rejects.toEqual(failure('WORKFLOW_FAILED', { status: 'cancelled' }))
  expect(seen).toEqual(['pay', 'refund'])
})

const oldRun: Flow = async (_, { step, receive }) => {
  await step('one', ({ uses: { outside }, key }) => void outside.do('one', key, 1))
  await receive('go')
  return step('two', () => 'old')
}

test('[WF6] code that takes other steps stops an instance in sight, loses nothing, and the right code takes it on', async () => {
  const folder = newFolder()
  const first = await start(flowOf(oldRun), undefined, folder)
  await first.flows.start('a', { n: 1 })
  await until(async () => (await first.flows.get('a'))?.status === 'waiting')
  await first.close()

  const changed = await start(
    flowOf(async (_, { step, receive }) => {
      await step('zero', () => 0)
      await receive('go')
      return 'new'
    }),
    undefined,
    folder,
  )
  await changed.flows.send('a', 'go', { by: 'ann' })
  const { trouble } = await atRest(changed.flows, 'a')
  expect(trouble).toMatchObject({
    code: 'WORKFLOW_CHANGED',
    message: expect.stringContaining("step 'zero' at position 0"),
  })
  await expect(changed.flows.result('a', { timeout: '5ms' })).rejects.toEqual(failure('TIMEOUT', { status: 'stopped' }))
  await changed.close()

  const shorter = await start(
    flowOf(async () => 'nothing at all'),
    undefined,
    folder,
  )
  await until(async () => (await shorter.flows.get('a'))?.trouble?.message.includes('its end at position 0') === true)
  await shorter.close()

  const back = await start(flowOf(oldRun), undefined, folder)
  expect(await back.flows.result('a')).toBe('old')
  expect([...first.seen, ...back.seen]).toEqual(['one'])
})

test('[WF6] an instance goes on with the version with which it began; one whose version is gone waits for it', async () => {
  const folder = newFolder()
  const first = await start(flowOf(oldRun), undefined, folder)
  for (const id of ['a', 'b']) await first.flows.start(id, { n: 1 })
  await until(async () => (await first.client.space.count(flowOf(oldRun).instances, { status: 'waiting' })) === 2)
  await first.close()

  const newRun: Flow = async (_, { step }) => step('other', () => 'new')
  const alone = await start(flowOf(newRun, { version: 2 }), undefined, folder)
  await alone.flows.start('c', { n: 1 })
  expect(await alone.flows.result('c')).toBe('new')
  await alone.flows.cancel('b')
  expect((await atRest(alone.flows, 'b')).trouble?.code).toBe('WORKFLOW_VERSION_MISSING')
  await alone.close()

  const both = workflow('flow', { input, uses, messages, retry, version: 2, earlier: [flowOf(oldRun)] }, newRun)
  const second = await start(both, undefined, folder)
  await second.flows.send('a', 'go', { by: 'ann' })
  expect(await second.flows.result('a')).toBe('old')
  await expect(second.flows.result('b')).rejects.toEqual(failure('WORKFLOW_FAILED', { status: 'cancelled' }))
})

test('[WF6] what cannot be kept stops an instance in sight', async () => {
  const { flows } = await start(
    flowOf(async ({ n }, { step }) => {
      if (n === 1) return { at: new Map() }
      return step('odd', () => [undefined])
    }),
  )
  for (const n of [1, 2]) await flows.start(`i${n}`, { n })
  expect((await atRest(flows, 'i1')).trouble).toMatchObject({ code: 'VALUE_NOT_PLAIN', step: null })
  expect((await atRest(flows, 'i2')).trouble).toMatchObject({ code: 'VALUE_NOT_PLAIN', step: 'odd' })
})

test('[WF7] steps that are begun together run beside each other; in any other way they are refused', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const together = await start(
    flowOf(async (_, { step }) => {
      const names = ['left', 'right']
      const parts = names.map((name, at) =>
        step(name, async ({ uses: { outside }, key, attempt }) => {
          await outside.do(name, key, attempt)
          return at
        }),
      )
      return Promise.all(parts)
    }),
    (what, _, attempt) => {
      gates[what === 'left' ? 0 : 1]!.resolve()
      if (what === 'left' && attempt === 1) throw new Error('again')
      return Promise.all(gates.map(({ promise }) => promise))
    },
  )
  await together.flows.start('a', { n: 1 })
  expect(await together.flows.result('a')).toEqual([0, 1])
  expect(together.seen.toSorted()).toEqual(['left', 'left', 'right'])

  const never = Promise.withResolvers<void>()
  const chance = await start(
    flowOf(async (_, { step }) => {
      const slow = step('slow', ({ uses: { outside }, key }) => outside.do('slow', key, 1))
      await new Promise((resolve) => setTimeout(resolve, 5))
      await step('quick', () => 1)
      await slow
    }),
    () => never.promise,
  )
  await chance.flows.start('b', { n: 1 })
  await until(() => chance.seen.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  never.resolve()
  expect((await atRest(chance.flows, 'b')).trouble).toMatchObject({ code: 'WORKFLOW_STEP_INVALID', step: 'quick' })
})
