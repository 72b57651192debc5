import { expect, test } from 'vitest'
import { z } from 'zod'
import { MemoryJournal } from '../journal/memory/memory-engine.ts'
import { defaultLimits } from '../kernel/index.ts'
import { ManualRuntime, turns } from '../partition/contract/manual-runtime.ts'
import { Partition } from '../partition/index.ts'
import { Router, SpaceClient } from '../router/index.ts'
import { entry, type Request } from '../space/index.ts'
import { resolveUnit, unit, unitDefinition, UnitLogic, worker, WorkerHost, type WorkerEvent } from './index.ts'

const Job = entry('job', z.object({ id: z.string(), state: z.enum(['new', 'done']) }), { id: 'id' })

/** A partition and a worker; what is asked waits where `gate` says so, and its answer too. */
async function bench(run: () => unknown) {
  const jobs = unit(
    'jobs',
    { entries: [Job] },
    {
      workers: {
        work: worker(
          { entry: Job, where: { state: 'new' }, timeout: '1s', retry: { attempts: 3, backoff: '1ms' } },
          async (job, { tx }) => {
            await run()
            await tx.patch(Job, job, { state: 'done' })
          },
        ),
      },
    },
  )
  const runtime = new ManualRuntime()
  const limits = defaultLimits
  const parts = resolveUnit(unitDefinition(jobs), { runtime, limits, checkAll: true })
  const logic = new UnitLogic({
    parts,
    limits,
    random: runtime.random,
    newId: () => '',
    partition: 0,
    partitionOf: () => 0,
    outside: () => undefined,
    runsWork: true,
    showFaults: true,
    onFault: () => {},
  })
  const partition: Partition = new Partition({
    number: 0,
    journal: new MemoryJournal(),
    journalId: new Uint8Array(16).fill(1),
    logic,
    member: 1,
    incarnation: 1,
    runtime,
    limits,
    reference: () => runtime.clock.wall(),
    ask: (_, command): Promise<unknown> => partition.submit({ command }),
    onEvent: () => {},
  })
  await partition.startAlone()
  const gate = { kind: '', before: Promise.resolve(), after: Promise.resolve() }
  const send = async (request: Request): Promise<unknown> => {
    if (request.command.kind !== gate.kind) return partition.submit(request)
    const { before, after } = gate
    await before
    const answer = await partition.submit(request)
    await after
    return answer
  }
  const router = new Router([{ partition: 0, sharesFate: true, send }], runtime, limits)
  const space = new SpaceClient(router, parts.types, limits, () => '')
  const events: WorkerEvent[] = []
  const host = new WorkerHost(parts, {
    router,
    space,
    uses: {},
    limits,
    runtime,
    onEvent: (event) => void events.push(event),
  })
  host.start()
  await space.insert(Job, { id: 'spare', state: 'done' })
  const state = async (): Promise<unknown> =>
    ((await space.get(Job, { id: 'a' })) as { readonly state: string } | undefined)?.state
  return { runtime, partition, space, host, gate, events, state }
}

test('[UN3] what is claimed when its worker has been stopped is given back, and its function does not run', async () => {
  let runs = 0
  const { runtime, partition, space, host, gate } = await bench(() => (runs += 1))
  const { promise, resolve } = Promise.withResolvers<void>()
  Object.assign(gate, { kind: 'claim', after: promise })
  await space.insert(Job, { id: 'a', state: 'new' })
  await turns()
  const closing = host.close()
  await runtime.advance(defaultLimits.drainMsMax)
  await closing
  resolve()
  await turns()
  expect(runs).toBe(0)
  const again = await partition.submit({ command: { kind: 'claim', worker: 'work', count: 9, leaseMs: undefined } })
  expect(again).toMatchObject({ claims: [{ entry: { id: 'a' } }] })
})

test('[UN3] a function that returns after its time-out commits nothing, though nobody has heard of that yet', async () => {
  const { promise: returns, resolve } = Promise.withResolvers<void>()
  const { promise: heard, resolve: hear } = Promise.withResolvers<void>()
  const { runtime, space, gate, events, state } = await bench(() => returns)
  Object.assign(gate, { kind: 'work-failed', before: heard })
  await space.insert(Job, { id: 'a', state: 'new' })
  await runtime.advance(1_000)
  expect(events).toMatchObject([{ kind: 'fault', error: { code: 'TIMEOUT' } }])
  resolve()
  await turns()
  expect(await state()).toBe('new')
  hear()
})

test('[UN3] the claim of a function ends whatever it throws, also what has no text', async () => {
  const thrown: unknown[] = [
    Object.create(null),
    Object.defineProperty(new Error('no'), 'message', { get: () => Symbol('no text') }),
  ]
  const { runtime, space, events, state } = await bench(() => {
    if (thrown.length > 0) throw thrown.shift()
  })
  await space.insert(Job, { id: 'a', state: 'new' })
  for (let at = 0; at < 5; at++) await runtime.advance(1_000)
  expect(await state()).toBe('done')
  expect(events.map(({ kind }) => kind)).toEqual(['fault', 'fault'])
})
