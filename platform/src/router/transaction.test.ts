// The steps of a transaction between a client and its partitions.
import { describe, expect, test } from 'vitest'
import { defaultLimits, PlenumError, type Limits } from '../kernel/index.ts'
import { MemoryJournal } from '../journal/memory/memory-engine.ts'
import { Partition } from '../partition/index.ts'
import { DataLogic, Answers, write, get, itemLayout } from '../partition/contract/partition-bench.ts'
import { ManualRuntime, turns } from '../partition/contract/manual-runtime.ts'
import { Router } from './index.ts'
import { SpaceClient } from './space-client.ts'
import type { Request } from '../space/index.ts'

type Way = (request: Request, partition: Partition, runtime: ManualRuntime) => Promise<unknown> | undefined

interface BenchOptions {
  readonly count?: number
  readonly limits?: Partial<Limits>
  readonly sharesFate?: boolean
  /** What happens to requests on their way to each partition. */
  readonly way?: readonly Way[]
}

/** Partitions, two unless told, and a client; `ids` of items for each partition, `a` and `b` those of the first two. */
async function bench(options: BenchOptions = {}) {
  const runtime = new ManualRuntime()
  let seed = 0
  runtime.random.bytes = (length: number) =>
    new Uint8Array(length).map((_, at) => (at < 4 ? (++seed * 7919) >> (8 * at) : seed))
  const limits = { ...defaultLimits, ...options.limits }
  const partitions: Partition[] = Array.from(
    { length: options.count ?? 2 },
    (_, number) =>
      new Partition({
        number,
        journal: new MemoryJournal(),
        journalId: new Uint8Array(16).fill(number + 1),
        logic: new DataLogic('unit-1', limits),
        member: 1,
        incarnation: 1,
        runtime,
        limits,
        reference: () => runtime.clock.wall(),
        ask: (other, command) => partitions[other]!.submit({ command }),
        onEvent: () => {},
      }),
  )
  for (const partition of partitions) await partition.startAlone()
  const channels = partitions.map((partition, number) => ({
    partition: number,
    sharesFate: options.sharesFate ?? true,
    send: (request: Request) => options.way?.[number]?.(request, partition, runtime) ?? partition.submit(request),
  }))
  const router = new Router(channels, runtime, limits)
  const space = new SpaceClient(router, new Map([['item', { layout: itemLayout, keyed: undefined }]]), limits, () => '')
  const ids: string[][] = partitions.map(() => [])
  for (let at = 0; ids.some((list) => list.length < 50); at++) ids[router.partitionOf(`i${at}`)]!.push(`i${at}`)
  return { runtime, partitions, space, answers: new Answers(), ids, a: ids[0]!, b: ids[1]!, limits }
}

describe('transactions between a client and partitions', () => {
  test('[TX1] an error of the function that could not be confirmed is not told as if it counted', async () => {
    const { space, a, b, runtime } = await bench()
    await space.insert('item', { id: a[0], n: 50 })
    await space.insert('item', { id: b[0], n: 50 })
    const controller = new AbortController()
    const outcome = space.transaction(
      async (tx) => {
        const one = (await tx.get('item', { id: a[0] })) as { n: number }
        await space.transaction(async (other) => {
          await other.change('item', { id: a[0] }, { add: { n: -10 } })
          await other.change('item', { id: b[0] }, { add: { n: 10 } })
        })
        await runtime.advance(1)
        const two = (await tx.get('item', { id: b[0] })) as { n: number }
        controller.abort()
        if (one.n + two.n !== 100) throw new Error('money was made from nothing')
      },
      { signal: controller.signal },
    )
    await expect(outcome).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('[TX4] a prepare that is slow (an election takes 4 to 9 s) does not make every run a conflict', async () => {
    const slow: Way = (request, partition, { timers }) =>
      request.command.kind === 'prepare'
        ? new Promise((resolve, reject) => {
            timers.after(4_000, () => void partition.submit(request).then(resolve, reject))
          })
        : undefined
    const pass: Way = () => undefined
    const { space, ids, answers, runtime } = await bench({ count: 3, way: [pass, pass, slow] })
    answers.watch(
      'tx',
      space.transaction(
        async (tx) => {
          for (const list of ids) await tx.write('item', { id: list[0]!, n: 1 })
        },
        { attempts: 5 },
      ),
    )
    await runtime.advance(30_000)
    expect(answers.of('tx')).toEqual({ value: undefined })
  })

  test('[TX4] a commit that was refused at the door and comes again late does not undo half of itself', async () => {
    let late: (() => Promise<unknown>) | undefined
    // The network doubles the commit; the first copy meets a full journal, the second comes when there is room again.
    const doubled: Way = (request, partition) => {
      if (request.command.kind !== 'commit' || late !== undefined) return undefined
      late = () => partition.submit(request)
      return Promise.reject(new PlenumError('JOURNAL_FULL', 'full'))
    }
    const { space, a, b, runtime, answers, partitions } = await bench({ sharesFate: false, way: [doubled] })
    answers.watch(
      'tx',
      space.transaction(async (tx) => {
        await tx.write('item', { id: a[0], n: 1 })
        await tx.write('item', { id: b[0], n: 1 })
      }),
    )
    await runtime.advance(100)
    expect(answers.of('tx')).toEqual({ code: 'JOURNAL_FULL' })
    await late!().catch(() => undefined)
    await runtime.advance(10_000)
    const [one, two] = [await partitions[0]!.submit(get(a[0]!)), await partitions[1]!.submit(get(b[0]!))]
    expect([one === undefined, two === undefined]).toEqual([true, true])
  })

  test('[TX1] [A8] whether a transaction fits does not depend on which of its partitions coordinates', async () => {
    const { space, a, b, runtime } = await bench({ limits: { valueBytesMax: 2_000, answerBytesMax: 3_000 } })
    const change = (first: string, many: readonly string[]) =>
      space.transaction(async (tx) => {
        await tx.write('item', { id: first, n: 1 })
        for (const id of many.slice(1, 21)) await tx.write('item', { id, n: 'x'.repeat(300) })
      })
    const one = change(a[0]!, a).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
    await runtime.advance(10)
    const two = change(a[0]!, b).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
    await runtime.advance(10)
    expect([await one, await two]).toEqual(['ok', 'ok'])
  })

  test('[TX5] [WA2] a watch that is up to date is not ended by somebody else’s draft', async () => {
    const { partitions, runtime, answers } = await bench({ limits: { changeRingMax: 20 } })
    const partition = partitions[0]!
    for (let at = 0; at < 25; at++) await partition.submit(write(`w${at}`, at))
    const { place } = (await partition.submit({
      command: { kind: 'watch', type: 'item', where: {}, initial: false, since: undefined, wait: { id: 'x', ms: 0 } },
    })) as { place: never }
    answers.watch(
      'watch',
      partition.submit({
        command: { kind: 'watch', type: 'item', where: {}, initial: false, since: place, wait: { id: 'y', ms: 5_000 } },
      }),
    )
    await turns()
    void partition.submit(write('one', 1))
    void partition.submit({
      command: { kind: 'draft', before: [], command: { kind: 'clear', type: 'item', where: {}, options: {} } },
    })
    await runtime.advance(100)
    expect((answers.of('watch') as { value: { kind: string } }).value.kind).toBe('changes')
  })

  test('[TX1] a transaction is not run again after its caller has given up', async () => {
    const { space, a, runtime } = await bench()
    const controller = new AbortController()
    let runs = 0
    const outcome = space
      .transaction(
        async (tx) => {
          runs += 1
          await tx.get('item', { id: a[0] })
          await space.write('item', { id: a[0], n: runs })
          await tx.get('item', { id: a[0] }).catch(() => undefined)
          await tx.write('item', { id: a[1], n: runs }).catch(() => undefined)
          controller.abort()
        },
        { signal: controller.signal },
      )
      .catch(() => undefined)
    await runtime.advance(1_000)
    await outcome
    expect(runs).toBe(1)
  })

  test('[TX1] [A8] a big transaction meets a limit before it meets the journal', async () => {
    const { space, a, runtime } = await bench({
      limits: { recordBytesMax: 5_000, valueBytesMax: 2_000, answerBytesMax: 3_000, batchBytes: 2_000 },
    })
    const outcome = space
      .transaction(async (tx) => {
        for (const id of a.slice(0, 40)) await tx.write('item', { id, n: 'x'.repeat(1_000) })
      })
      .then(
        () => 'committed',
        (error: { code: string }) => error.code,
      )
    await runtime.advance(100)
    expect(await outcome).not.toBe('committed')
  })

  test('[TX1] [A8] a draft that needs more than a command may change is LIMIT_EXCEEDED, not a conflict that is run twenty times', async () => {
    const { space, a, runtime } = await bench({ limits: { commandEffectsMax: 8, sessionRequestsMax: 4 } })
    let runs = 0
    const outcome = space
      .transaction(async (tx) => {
        runs += 1
        await tx.take('item', { n: 99 })
        for (const id of a.slice(0, 9)) await tx.write('item', { id, n: 1 })
        await tx.count('item', {})
      })
      .then(
        () => 'committed',
        (error: { code: string }) => error.code,
      )
    await runtime.advance(60_000)
    expect([await outcome, runs]).toEqual(['LIMIT_EXCEEDED', 1])
  })

  test('[TX4] a lock that is in the way does not keep a coordinator that was told ABORTED from saying so', async () => {
    const controller = new AbortController()
    const abort: Way = (request) => {
      if (request.command.kind !== 'prepare') return undefined
      controller.abort()
      return new Promise(() => {})
    }
    const { space, a, b, runtime, answers } = await bench({ way: [() => undefined, abort] })
    answers.watch(
      'tx',
      space.transaction(
        async (tx) => {
          await tx.write('item', { id: a[0], n: 1 })
          await tx.write('item', { id: b[0], n: 1 })
        },
        { signal: controller.signal },
      ),
    )
    await runtime.advance(100)
    expect(answers.of('tx')).toEqual({ code: 'ABORTED' })
  })

  test('[TX4] [UN3] what ends because a participant has not answered may be run again: nothing happened', async () => {
    const lost: Way = (request) =>
      request.command.kind === 'prepare' ? Promise.reject(new PlenumError('UNKNOWN_OUTCOME', 'lost')) : undefined
    const { space, a, b } = await bench({ way: [() => undefined, lost] })
    const outcome = space.transaction(async (tx) => {
      await tx.write('item', { id: a[0], n: 1 })
      await tx.write('item', { id: b[0], n: 1 })
    })
    await expect(outcome).rejects.toMatchObject({ code: 'TIMEOUT', retry: 'same' })
  })
})
