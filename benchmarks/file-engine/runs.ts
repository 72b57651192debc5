import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openFolder, type Folder } from '../../platform/src/journal/file/index.ts'
import type { Journal } from '../../platform/src/journal/index.ts'
import type { Disk } from '../../platform/src/runtime/index.ts'
import { NodeDisk, nodeRuntime } from '../../platform/src/runtime/node/index.ts'
import { CommitThread, threadDisk } from './thread-disk.ts'

/** How the records reach the disk. */
export type Arrangement = 'adaptive' | 'pool' | 'thread' | 'log each'

export interface RunOptions {
  readonly folder: string
  readonly arrangement: Arrangement
  readonly level: 'os' | 'disk'
  readonly partitions: number
  readonly inFlight: number
  readonly recordBytes: number
  /** Microseconds of work on the loop for each record, in place of a partition's machine. */
  readonly workUs: number
}

/** One of the things that are compared: runs for a slice of time, as often as asked. */
export interface Contender {
  slice(ms: number): Promise<Slice>
  close(): Promise<void>
}

/** What one slice saw. */
export interface Slice {
  readonly perSecond: number
  readonly latenciesMs: readonly number[]
  /** The longest time in which the loop did not turn. */
  readonly stallMs: number
}

/** A closed loop: so many appenders, spread over the partitions, each waiting for its ack. */
export async function openAppends(options: RunOptions): Promise<Contender> {
  const path = await mkdtemp(join(options.folder, 'plenum-bench-'))
  const thread = options.arrangement === 'thread' ? new CommitThread() : undefined
  const folders = await openAll(options, path, thread === undefined ? new NodeDisk() : threadDisk(thread))
  const journals = folders.flatMap(({ partitions }) => partitions.map(({ journal }) => journal))
  const next = journals.map(() => 1)
  return {
    slice: (ms) => closedLoop(options, journals, next, ms),
    async close() {
      for (const folder of folders) await folder.close()
      await thread?.stop()
      await rm(path, { recursive: true })
    },
  }
}

/** The raw rate: the bytes of `inFlight` records in one write and one fdatasync, over a file filled with zeros. */
export async function openRaw(options: Pick<RunOptions, 'folder' | 'inFlight' | 'recordBytes'>): Promise<Contender> {
  const path = await mkdtemp(join(options.folder, 'plenum-bench-'))
  const sizeMax = 64 << 20
  const group = new Uint8Array(48 + options.inFlight * (options.recordBytes + 8)).fill(7)
  const descriptor = openSync(`${path}/raw`, 'w+')
  for (let at = 0; at < sizeMax; at += 1 << 20) writeSync(descriptor, new Uint8Array(1 << 20), 0, 1 << 20, at)
  fsyncSync(descriptor)
  let at = 0
  return {
    async slice(ms) {
      const begun = performance.now()
      const latenciesMs: number[] = []
      for (let now = begun; now < begun + ms;) {
        writeSync(descriptor, group, 0, group.length, at)
        fdatasyncSync(descriptor)
        at = at + 2 * group.length > sizeMax ? 0 : at + group.length
        const then = performance.now()
        latenciesMs.push(then - now)
        now = then
      }
      const seconds = (performance.now() - begun) / 1_000
      return { perSecond: (latenciesMs.length * options.inFlight) / seconds, latenciesMs, stallMs: 0 }
    },
    async close() {
      closeSync(descriptor)
      await rm(path, { recursive: true })
    },
  }
}

async function openAll(options: RunOptions, path: string, disk: Disk): Promise<readonly Folder[]> {
  const { clock, timers, random } = nodeRuntime()
  const { arrangement, level, partitions } = options
  const quick = arrangement === 'pool' || arrangement === 'thread' ? { quickMsMax: 0 } : {}
  const base = { disk, level, create: true, clock, timers, random, ...quick }
  if (arrangement !== 'log each') return [await openFolder({ ...base, path: `${path}/all`, partitions })]
  const folders: Folder[] = []
  for (let i = 0; i < partitions; i += 1) {
    folders.push(await openFolder({ ...base, path: `${path}/${i}`, partitions: 1 }))
  }
  return folders
}

async function closedLoop(
  options: RunOptions,
  journals: readonly Journal[],
  next: number[],
  ms: number,
): Promise<Slice> {
  const record = new Uint8Array(options.recordBytes).fill(7)
  const begun = performance.now()
  const end = begun + ms
  const latenciesMs: number[] = []
  let [stallMs, turned, isOver] = [0, begun, false]
  const turn = (): void => {
    const now = performance.now()
    stallMs = Math.max(stallMs, now - turned)
    turned = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const appender = async (number: number): Promise<void> => {
    for (let now = performance.now(); now < end;) {
      work(options.workUs)
      const position = next[number] ?? 1
      next[number] = position + 1
      const outcome = await journals[number]?.append(position, record)
      if (outcome?.kind !== 'acked') throw new Error(`append was ${outcome?.kind}`)
      const then = performance.now()
      latenciesMs.push(then - now)
      now = then
    }
  }
  await Promise.all(Array.from({ length: options.inFlight }, (_, i) => appender(i % journals.length)))
  isOver = true
  const seconds = (performance.now() - begun) / 1_000
  return { perSecond: latenciesMs.length / seconds, latenciesMs, stallMs }
}

function work(us: number): void {
  if (us === 0) return
  const until = performance.now() + us / 1_000
  while (performance.now() < until);
}

/** Milliseconds to open a log of so many records over so many partitions, and to read all of them. */
export async function runRecovery(
  options: Pick<RunOptions, 'folder' | 'recordBytes' | 'partitions'> & { readonly records: number },
): Promise<{ readonly openMs: number; readonly readMs: number; readonly bytes: number }> {
  const path = await mkdtemp(join(options.folder, 'plenum-bench-'))
  const { clock, timers, random } = nodeRuntime()
  const { partitions } = options
  const base = { disk: new NodeDisk(), path, level: 'os', create: true, clock, timers, random, partitions } as const
  const made = await openFolder(base)
  const record = new Uint8Array(options.recordBytes).fill(7)
  const next = made.partitions.map(() => 1)
  for (let done = 0; done < options.records;) {
    const appends: Promise<unknown>[] = []
    for (let i = 0; i < 4_096 && done < options.records; i += 1, done += 1) {
      const number = done % partitions
      const position = next[number] ?? 1
      next[number] = position + 1
      const journal = made.partitions[number]?.journal
      if (journal !== undefined) appends.push(journal.append(position, record))
    }
    await Promise.all(appends)
  }
  await made.close()
  let bytes = 0
  const begun = performance.now()
  const onEvent = (event: { readonly kind: string; readonly bytes?: number }): void => {
    bytes = event.bytes ?? 0
  }
  const folder = await openFolder({ ...base, onEvent })
  const openMs = performance.now() - begun
  const counts = folder.partitions.map(async ({ journal }) => {
    let count = 0
    for await (const _ of journal.read(1)) count += 1
    return count
  })
  const read = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  const readMs = performance.now() - begun - openMs
  await folder.close()
  await rm(path, { recursive: true })
  if (read !== options.records) throw new Error(`${read} of ${options.records} records came back`)
  return { openMs, readMs, bytes }
}
