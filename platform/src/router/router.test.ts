import { expect, test } from 'vitest'
import { slotCount, slotOf } from '../codec/index.ts'
import { defaultLimits, PlenumError, type ErrorCode, type Limits } from '../kernel/index.ts'
import { ManualRuntime } from '../partition/contract/manual-runtime.ts'
import { Answers } from '../partition/contract/partition-bench.ts'
import type { Command, Request } from '../space/index.ts'
import type { PartitionChannel } from './channel.ts'
import { Router, type Part } from './router.ts'
import { SlotMap } from './slots.ts'

type Reply = (request: Request) => unknown
const silence = Symbol('silence')

/** A channel that answers each request as its script says, and after that with the number of the request. */
class ScriptedChannel implements PartitionChannel {
  readonly partition: number
  readonly sharesFate: boolean
  readonly requests: Request[] = []
  readonly script: Reply[] = []

  constructor(partition: number, sharesFate: boolean) {
    this.partition = partition
    this.sharesFate = sharesFate
  }

  /** What was asked, without the registrations of sessions. */
  get asked(): readonly Request[] {
    return this.requests.filter(({ command }) => command.kind !== 'register')
  }

  async send(request: Request): Promise<unknown> {
    this.requests.push(request)
    if (request.command.kind === 'register') return undefined
    const reply = this.script.shift()
    if (reply === undefined) return this.asked.length
    const value = reply(request)
    return value === silence ? new Promise(() => {}) : value
  }
}

const fail =
  (code: ErrorCode, details: object = {}): Reply =>
  () => {
    throw new PlenumError(code, code, { details: { ...details } })
  }
const lost = fail('UNKNOWN_OUTCOME', { reason: 'failed' })
const fenced = fail('UNKNOWN_OUTCOME', { reason: 'fenced' })
const silent = fail('UNKNOWN_OUTCOME', { silence: 'no answer' })
const change: Command = { kind: 'remove', type: 'item', key: { id: 'a' }, options: {} }
const look: Command = { kind: 'get', type: 'item', key: { id: 'a' } }

function bench(partitions = 1, options: { readonly sharesFate?: boolean; readonly limits?: Partial<Limits> } = {}) {
  const runtime = new ManualRuntime()
  const channels = Array.from({ length: partitions }, (_, at) => new ScriptedChannel(at, options.sharesFate ?? false))
  const router = new Router(channels, runtime, { ...defaultLimits, ...options.limits })
  const answers = new Answers()
  return { runtime, router, channels, channel: channels[0]!, answers }
}

test('[SP11] [SP12] a change is sent again with the same identity, and counts how often its primary failed with it', async () => {
  const { runtime, router, channel, answers } = bench()
  channel.script.push(fail('NOT_PRIMARY'), silent, lost, lost, () => 'done')
  answers.watch('change', router.send(0, change, { timeoutMs: 5_000 }))
  await runtime.advance(2_000)
  expect(answers.of('change')).toEqual({ value: 'done' })
  const { identity } = channel.asked[0]!
  expect(identity).toMatchObject({ kind: 'numbered', number: 1, lowest: 1 })
  for (const request of channel.asked) expect(request.identity).toEqual(identity)
  expect(channel.asked.map(({ attempt }) => attempt)).toEqual([0, 0, 0, 1, 2])
  expect(channel.requests.filter(({ command }) => command.kind === 'register')).toHaveLength(1)
})

test('[PA9] whoever only waited, while primaries were slow, cut off or full, has used up no attempt', async () => {
  const { runtime, router, channel, answers } = bench()
  const full = fail('UNKNOWN_OUTCOME', { reason: 'full' })
  channel.script.push(silent, fenced, fenced, full, silent, fenced, fenced, () => 'done')
  answers.watch('change', router.send(0, change, { timeoutMs: 30_000 }))
  await runtime.advance(10_000)
  expect(answers.of('change')).toEqual({ value: 'done' })
  expect(channel.asked.map(({ attempt }) => attempt)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
})

test('[SP11] an error that says never is not tried again', async () => {
  const { runtime, router, channel, answers } = bench()
  channel.script.push(fail('ENTRY_MISSING'))
  answers.watch('change', router.send(0, change, { timeoutMs: 5_000 }))
  await runtime.advance(5_000)
  expect(answers.of('change')).toEqual({ code: 'ENTRY_MISSING' })
  expect(channel.asked).toHaveLength(1)
})

test('[SP11] nothing is sent after the deadline', async () => {
  const { runtime, router, channel, answers } = bench()
  channel.script.push(...Array.from({ length: 99 }, () => fail('NOT_PRIMARY')))
  answers.watch('change', router.send(0, change, { timeoutMs: 300 }))
  await runtime.advance(300)
  const { length } = channel.asked
  expect(length).toBeGreaterThan(2)
  await runtime.advance(2_000)
  expect(channel.asked).toHaveLength(length)
  expect(answers.of('change')).toEqual({ code: 'NOT_PRIMARY' })
})

test.each([
  ['lost with its primary', lost],
  ['without an answer', silent],
])(
  '[SP13] a change that was %s once is UNKNOWN_OUTCOME at the deadline, whatever the last try said',
  async (_, unknown) => {
    const { runtime, router, channel, answers } = bench()
    channel.script.push(unknown, ...Array.from({ length: 99 }, () => fail('NOT_PRIMARY')))
    answers.watch('change', router.send(0, change, { timeoutMs: 300 }))
    await runtime.advance(2_000)
    expect(answers.of('change')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  },
)

test.each(['SESSION_ENDED', 'JOURNAL_FAILED', 'CLOSED'] as const)(
  '[SP13] a change that may have happened, and then meets %s, is UNKNOWN_OUTCOME',
  async (code) => {
    const { runtime, router, channel, answers } = bench()
    channel.script.push(silent, fail(code))
    answers.watch('change', router.send(0, change, { timeoutMs: 3_000 }))
    await runtime.advance(3_000)
    expect(answers.of('change')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  },
)

test('[SP12] a change that met SESSION_ENDED never ran, and goes once more under a new session', async () => {
  const { runtime, router, channel, answers } = bench()
  channel.script.push(fail('SESSION_ENDED'))
  answers.watch('first', router.send(0, change, { timeoutMs: 1_000 }))
  await runtime.advance(10)
  expect(answers.of('first')).toEqual({ value: 2 })
  const sessions = channel.asked.map(({ identity }) => (identity?.kind === 'numbered' ? identity.session : ''))
  expect(new Set(sessions).size).toBe(2)
  expect(channel.requests.map(({ command }) => command.kind)).toEqual(['register', 'remove', 'register', 'remove'])
  channel.script.push(fail('SESSION_ENDED'), fail('SESSION_ENDED'))
  answers.watch('second', router.send(0, change, { timeoutMs: 1_000 }))
  await runtime.advance(10)
  expect(answers.of('second')).toEqual({ code: 'SESSION_ENDED' })
})

test('[SP12] requests say which number is the lowest still open', async () => {
  const { runtime, router, channel, answers } = bench()
  channel.script.push(() => silence)
  answers.watch('open', router.send(0, change, { timeoutMs: 60_000 }))
  await runtime.advance(1)
  for (let i = 0; i < 3; i++) {
    void router.send(0, change, { timeoutMs: 1_000 })
    await runtime.advance(1)
  }
  expect(
    channel.asked.map(({ identity }) => (identity?.kind === 'numbered' ? [identity.number, identity.lowest] : [])),
  ).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 1],
  ])
})

test('[SP12] a key of the caller is the identity, and reads have none', async () => {
  const { runtime, router, channel } = bench()
  void router.send(0, change, { timeoutMs: 1_000, key: 'click' })
  void router.send(0, look, { timeoutMs: 1_000, read: 'confirmed' })
  await runtime.advance(1)
  expect(channel.requests).toMatchObject([
    { command: { kind: 'remove' }, identity: { kind: 'keyed', key: 'click' } },
    { command: { kind: 'get' }, identity: undefined, read: 'confirmed' },
  ])
})

test('[A8] [SP12] a client has so many requests open at a partition and no more', async () => {
  const { runtime, router, channel, answers } = bench(1, { limits: { sessionRequestsMax: 2 } })
  channel.script.push(
    () => silence,
    () => silence,
  )
  for (const name of ['a', 'b', 'c']) answers.watch(name, router.send(0, change, { timeoutMs: 60_000 }))
  await runtime.advance(1)
  expect([answers.of('a'), answers.of('b'), answers.of('c')]).toEqual(['waits', 'waits', { code: 'LIMIT_EXCEEDED' }])
})

test('[SP11] where the caller shares the fate, a deadline ends a read with TIMEOUT and a change with UNKNOWN_OUTCOME', async () => {
  const { runtime, router, channel, answers } = bench(1, { sharesFate: true })
  channel.script.push(
    () => silence,
    () => silence,
    () => silence,
  )
  const stop = new AbortController()
  answers.watch('read', router.send(0, look, { timeoutMs: 100 }))
  answers.watch('change', router.send(0, change, { timeoutMs: 100 }))
  answers.watch('given up', router.send(0, look, { signal: stop.signal }))
  await runtime.advance(99)
  expect(answers.order).toEqual([])
  stop.abort()
  await runtime.advance(1)
  expect(answers.of('read')).toEqual({ code: 'TIMEOUT' })
  expect(answers.of('change')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  expect(answers.of('given up')).toEqual({ code: 'ABORTED' })
})

test('[SP11] a fan-out gives each part as it arrives, failed ones too', async () => {
  const { router, channels } = bench(3)
  const { promise, resolve } = Promise.withResolvers<string>()
  channels[0]!.script.push(() => promise)
  channels[1]!.script.push(fail('TASK_FAILED'))
  const parts: Part[] = []
  for await (const part of router.fanOut(look, { timeoutMs: 1_000 })) {
    parts.push(part)
    if (parts.length === 2) resolve('late')
  }
  expect(parts).toMatchObject([
    { partition: 1, ok: false, error: { code: 'TASK_FAILED' } },
    { partition: 2, ok: true, value: 1 },
    { partition: 0, ok: true, value: 'late' },
  ])
})

test.each([1, 2, 3, 4, 7, 8, 1_024])('[ID3] %i partitions own every slot once, in equal shares', (partitions) => {
  const map = new SlotMap(partitions)
  const owned = new Uint16Array(partitions)
  for (let slot = 0; slot < slotCount; slot++) {
    const partition = map.partitionOf(slot)
    const [range] = map.rangesOf(partition)
    expect(range!.from <= slot && slot <= range!.to).toBe(true)
    owned[partition]! += 1
  }
  expect(Math.max(...owned) - Math.min(...owned)).toBeLessThanOrEqual(1)
})

test('[ID3] [ID1] a route goes to the partition of its slot', async () => {
  const { router, channels } = bench(4, { sharesFate: true })
  for (const route of ['a', 'b', 'c', 1, 1n, null]) {
    const before = channels.map(({ requests }) => requests.length)
    await router.route(route, look)
    const partition = new SlotMap(4).partitionOf(slotOf(route))
    expect(channels.map(({ requests }, at) => requests.length - before[at]!)).toEqual([0, 0, 0, 0].with(partition, 1))
  }
})
