import { expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { NodeDisk } from '../../runtime/node/index.ts'
import type { FileLog } from './file-log.ts'
import { FaultyDisk, systemError, type DiskOperation } from './contract/faulty-disk.ts'
import { emptyFolder, openHere } from './contract/folder-bench.ts'
import { contents, LogBench, testRecord } from './contract/log-bench.ts'

/** Both ways to write: on the loop, and through the thread pool. */
const ways = [
  { way: 'on the loop', quickMsMax: 1e9 },
  { way: 'through the pool', quickMsMax: 0 },
] as const

async function faulty(options: { readonly quickMsMax?: number; readonly level?: 'os' | 'disk' } = {}): Promise<{
  readonly bench: LogBench
  readonly disk: FaultyDisk
}> {
  const disk = new FaultyDisk(new NodeDisk())
  return { bench: await LogBench.make({ disk, ...options }), disk }
}

function append(log: FileLog, journal = 0, position = log.tail(journal).next, kind = 1) {
  const record = testRecord(journal, position)
  record[5] = kind
  return log.append(journal, position, record)
}

test.for(ways)(
  '[FE3] a failed sync $way is final: everything after it is failed, nothing newer is served',
  async (way) => {
    const { bench, disk } = await faulty(way)
    await using _ = bench
    const log = await bench.open()
    await bench.append(log, 6)
    disk.plan = ({ kind }) => (kind === 'sync' ? { error: systemError('EIO') } : undefined)
    const flying = [append(log, 0), append(log, 1), append(log, 0, 5)]
    for (const outcome of await Promise.all(flying)) {
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'JOURNAL_FAILED' } })
    }
    // The disk works again, but a later sync that works proves nothing.
    disk.plan = () => undefined
    expect(await append(log)).toMatchObject({ kind: 'failed' })
    expect(log.tail(0).next).toBe(4)
    expect(await contents(log, 0)).toHaveLength(3)
    const following = log.follow(0, 1, new AbortController().signal, () => false)
    const seen: number[] = []
    const ended: unknown = await (async () => {
      for await (const { position } of following) seen.push(position)
    })().catch((reason: unknown) => reason)
    expect(seen).toEqual([1, 2, 3])
    expect(isPlenumError(ended, 'JOURNAL_FAILED')).toBe(true)
    await log.close()
    const again = await bench.open()
    expect((await contents(again, 0)).slice(0, 3)).toEqual(
      [1, 2, 3].map((position) => Buffer.from(testRecord(0, position))),
    )
    expect(await append(again)).toMatchObject({ kind: 'acked' })
  },
)

test.for(ways)(
  '[FE3] a failed write $way is final, too, and leaves nothing that a new start takes for acked',
  async (way) => {
    const { bench, disk } = await faulty(way)
    await using _ = bench
    const log = await bench.open()
    await bench.append(log, 6)
    disk.plan = ({ kind }) => (kind === 'write' ? { error: systemError('EIO'), written: 49 } : undefined)
    expect(await append(log)).toMatchObject({ kind: 'failed' })
    disk.plan = () => undefined
    expect(await append(log)).toMatchObject({ kind: 'failed' })
    await log.close()
    const again = await bench.open()
    expect(bench.events[0]).toMatchObject({ kind: 'torn tail', bytes: 49 })
    expect(await contents(again, 0)).toHaveLength(3)
  },
)

test('[FE3] a failed background sync at level os is final', async () => {
  const { bench, disk } = await faulty({ level: 'os' })
  await using _ = bench
  const log = await bench.open({ markMs: 1 })
  disk.plan = ({ kind }) => (kind === 'sync' ? { error: systemError('EIO') } : undefined)
  expect(await append(log)).toMatchObject({ kind: 'acked' })
  await expect.poll(async () => (await append(log)).kind).toBe('failed')
})

test('[FE3] a sync that fails while the log is closed is told to whoever closes it', async () => {
  const { bench, disk } = await faulty({ level: 'os' })
  await using _ = bench
  const log = await bench.open()
  expect(await append(log)).toMatchObject({ kind: 'acked' })
  disk.plan = ({ kind }) => (kind === 'sync' ? { error: systemError('EIO') } : undefined)
  await expect(log.close()).rejects.toMatchObject({ code: 'JOURNAL_FAILED' })
})

test('[FE2] what is not known to be synced is written again and synced before the log opens', async () => {
  const { bench, disk } = await faulty()
  await using _ = bench
  const log = await bench.open()
  await bench.append(log, 5)
  const files = await bench.files()
  await log.close()
  await bench.restore(files)
  const done: DiskOperation[] = []
  disk.plan = (operation) => {
    done.push(operation)
    return undefined
  }
  await bench.open()
  const group = 40 + 8 + 48
  const last = 64 + 40 + 16 + 4 * group
  const path = `${bench.folder}/00000001.log`
  expect(done.slice(0, 2)).toEqual([
    { kind: 'write', path, at: last, bytes: group },
    { kind: 'sync', path, at: 0, bytes: 0 },
  ])
  expect(bench.events.at(-1)).toMatchObject({ kind: 'recovered', records: 5, rewrittenBytes: group })
})

test('[FE2] if that sync fails, nothing is served', async () => {
  const { bench, disk } = await faulty()
  await using _ = bench
  const log = await bench.open()
  await bench.append(log, 5)
  const files = await bench.files()
  await log.close()
  await bench.restore(files)
  disk.plan = ({ kind }) => (kind === 'sync' ? { error: systemError('EIO') } : undefined)
  await expect(bench.open()).rejects.toThrow('EIO')
  disk.plan = () => undefined
  expect(await contents(await bench.open(), 0)).toHaveLength(3)
})

test('[JR8] when no next segment can be made, batches are refused first and the small records still fit', async () => {
  const { bench, disk } = await faulty()
  await using _ = bench
  const log = await bench.open()
  disk.plan = ({ path }) => (path.endsWith('00000001.log') ? undefined : { error: systemError('ENOSPC') })
  let outcome = await append(log)
  let batches = 0
  for (; outcome.kind === 'acked'; batches += 1) outcome = await append(log)
  expect(outcome).toEqual({ kind: 'full' })
  expect(log.fill(0, 0)).toBeGreaterThan(0.9)
  // One OPEN, HEARTBEAT, SNAPSHOT and CLOSE of each journal.
  for (const journal of [0, 1]) {
    for (const kind of [0, 2, 3, 5])
      expect(await append(log, journal, log.tail(journal).next, kind)).toMatchObject({ kind: 'acked' })
  }
  // The window of a journal that is full is refused whole; another journal's small record beside it is not.
  const window = [append(log, 0), append(log, 0, log.tail(0).next + 1), append(log, 1, log.tail(1).next, 2)]
  expect((await Promise.all(window)).map(({ kind }) => kind)).toEqual(['full', 'refused', 'acked'])
  disk.plan = () => undefined
  await expect.poll(async () => (await append(log)).kind, { timeout: 10_000 }).toBe('acked')
  expect(log.fill(0, 0)).toBe(0)
  const kept = (await contents(log, 0)).length
  await log.close()
  expect(await contents(await bench.open(), 0)).toHaveLength(kept)
})

test('[JR8] a group that waits while the disk turns out to be full gives its small records a place', async () => {
  const { bench, disk } = await faulty({ quickMsMax: 0 })
  await using _ = bench
  const log = await bench.open({ segmentBytesMax: 4096 })
  await bench.append(log, 12, 500)
  disk.plan = ({ path }) => (path.endsWith('00000001.log') ? undefined : { error: systemError('ENOSPC') })
  const big = testRecord(0, 7, 4_000)
  const [first, second, third] = await Promise.all([log.append(0, 7, big), append(log, 0, 8), append(log, 1, 7, 2)])
  expect([first, second, third].map(({ kind }) => kind)).toEqual(['full', 'full', 'acked'])
  expect(log.tail(0).next).toBe(7)
  expect(log.tail(1).next).toBe(8)
})

test.for(ways)(
  '[FE3] a full disk met by a write $way takes the records back: nothing was acked, nothing is left',
  async (way) => {
    const { bench, disk } = await faulty(way)
    await using _ = bench
    const log = await bench.open()
    await bench.append(log, 6)
    disk.plan = ({ kind }) => (kind === 'write' ? { error: systemError('ENOSPC'), written: 70 } : undefined)
    const outcomes = await Promise.all([append(log, 0), append(log, 0, 5), append(log, 1)])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['full', 'full', 'full'])
    disk.plan = () => undefined
    // A shorter group than the one that failed leaves none of its bytes behind.
    expect(await log.append(0, 4, Buffer.from('short.'))).toMatchObject({ kind: 'acked' })
    const files = await bench.files()
    await log.close()
    await bench.restore(files)
    const again = await bench.open()
    expect(bench.events.map(({ kind }) => kind)).toEqual(['recovered'])
    expect(await contents(again, 0)).toHaveLength(4)
    expect(await contents(again, 1)).toHaveLength(3)
  },
)

test.for(ways)('[FE3] a sync $way that reports a full disk is as final as any other failed sync', async (way) => {
  const { bench, disk } = await faulty(way)
  await using _ = bench
  const log = await bench.open()
  await bench.append(log, 2)
  disk.plan = ({ kind }) => (kind === 'sync' ? { error: systemError('ENOSPC') } : undefined)
  expect(await append(log)).toMatchObject({ kind: 'failed' })
  disk.plan = () => undefined
  expect(await append(log)).toMatchObject({ kind: 'failed' })
})

test('[JR8] while a full disk is tried again, batches stay out of the reserve', async () => {
  const { bench, disk } = await faulty()
  await using _ = bench
  const due: (() => void)[] = []
  const { timers } = bench.options
  const log = await bench.open({
    timers: {
      soon: (run) => timers.soon(run),
      after: (delayMs, run) => {
        if (delayMs === 1_000) due.push(run)
        return { stop: () => {} }
      },
    },
  })
  disk.plan = ({ path }) => (path.endsWith('00000001.log') ? undefined : { error: systemError('ENOSPC') })
  while ((await append(log)).kind === 'acked');
  for (let round = 0; round < 20; round += 1) {
    due.pop()!()
    const asked = [append(log), append(log, 1)]
    expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual(['full', 'full'])
    await expect.poll(() => due.length).toBe(1)
  }
  expect(await append(log, 0, log.tail(0).next, 3)).toMatchObject({ kind: 'acked' })
})

test('[JR7] at level os everything is synced before a segment goes, and if that fails none does', async () => {
  const { bench, disk } = await faulty({ level: 'os' })
  await using _ = bench
  const log = await bench.open()
  await bench.append(log, 40, 700)
  const before = [...(await bench.files()).keys()].toSorted()
  // The last segment may still be made, and is none of those that were written.
  const written = before.slice(0, -1)
  const synced: string[] = []
  disk.plan = ({ kind, path }) => {
    if (kind !== 'sync' || !written.some((name) => path.endsWith(name))) return undefined
    synced.push(path)
    return { error: systemError('EIO') }
  }
  const trims = [log.trim(0, 21), log.trim(1, 21)].map((trim) => trim.catch((error: unknown) => error))
  expect((await Promise.all(trims))[1]).toMatchObject({ code: 'JOURNAL_FAILED' })
  expect(synced).toHaveLength(1)
  expect([...(await bench.files()).keys()].toSorted()).toEqual(before)
})

test('[JR7] at level os the log is synced before a snapshot goes, and if that fails the snapshot stays', async () => {
  await using at = await emptyFolder()
  const disk = new FaultyDisk(new NodeDisk())
  const folder = await openHere(at.path, { disk, level: 'os' })
  const { journal } = folder.partitions[0]!
  async function* chunk(): AsyncGenerator<Uint8Array, void> {
    yield new Uint8Array(10)
  }
  const names = [await journal.saveSnapshot(1, chunk(), () => 'a'), await journal.saveSnapshot(2, chunk(), () => 'b')]
  expect(await journal.append(1, testRecord(0, 1))).toMatchObject({ kind: 'acked' })
  const done: string[] = []
  disk.plan = ({ kind, path }) => {
    done.push(`${kind} ${path.slice(at.path.length)}`)
    return undefined
  }
  await journal.removeSnapshot(names[0]!)
  expect(done[0]).toBe('sync /log/00000001.log')
  expect(await journal.append(2, testRecord(0, 2))).toMatchObject({ kind: 'acked' })
  disk.plan = ({ kind }) => (kind === 'sync' ? { error: systemError('EIO') } : undefined)
  await expect(journal.removeSnapshot(names[1]!)).rejects.toMatchObject({ code: 'JOURNAL_FAILED' })
  expect(await journal.listSnapshots()).toEqual([names[1]])
  await folder.close().catch(() => {})
})

test('[FE1] a segment that a full disk left without a group is passed over: the groups behind it are no torn tail', async () => {
  const { bench, disk } = await faulty()
  await using _ = bench
  const log = await bench.open()
  await bench.append(log, 10, 700)
  // Its first group does not reach the second segment; the zeros that fill it do.
  disk.plan = ({ kind, at, path, bytes }) =>
    kind === 'write' && path.endsWith('00000002.log') && at === 64 && bytes < 4_000
      ? { error: systemError('ENOSPC'), written: 100 }
      : undefined
  const answers: string[] = []
  for (let i = 0; i < 3; i += 1) answers.push((await log.append(0, log.tail(0).next, testRecord(0, i, 700))).kind)
  expect(answers).toContain('full')
  // The next record is too large for the segment that was left empty. What the failed write left there, a whole START
  // among it, has to be covered first.
  const large = testRecord(0, log.tail(0).next, 9_000)
  expect(await log.append(0, log.tail(0).next, large)).toEqual({ kind: 'full' })
  disk.plan = () => undefined
  expect(await log.append(0, log.tail(0).next, large)).toMatchObject({ kind: 'acked' })
  const files = await bench.files()
  const held = await contents(log, 0)
  await log.close()
  await bench.restore(files)
  const again = await bench.open()
  expect(bench.events.map(({ kind }) => kind)).not.toContain('torn tail')
  expect(await contents(again, 0)).toEqual(held)
})
