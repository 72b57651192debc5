import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import type { Head, Journal, SnapshotName } from '../journal/index.ts'
import type { Runtime } from '../runtime/index.ts'
import {
  ownLayouts,
  readFields,
  rowHas,
  StateHash,
  type Layout,
  type RowLease,
  type SnapshotWalk,
} from '../space/index.ts'
import type { SnapshotBody, UpgradeBody } from './record-body.ts'
import { Replica, type ReplicaOptions } from './replica.ts'
import { hashesOf, ProjectionReader, type ProjectionState, type SavedProjection } from './saved-projection.ts'

/** Format 1 is of before there were projections. */
const snapshotFormat = 3
const formatsRead: readonly number[] = [1, snapshotFormat]

/** What a snapshot begins with: where it stands in the journal, and what its rows mean. */
interface SnapshotHead {
  readonly format: number
  readonly head: Head
  readonly change: number
  readonly time: number
  readonly unit: UpgradeBody
  readonly leaseMs: number
  /** The projections whose blocks follow; undefined in format 1. */
  readonly projections?: readonly string[] | undefined
}

/** Whether a block is as large as it should be, or has taken as long. */
type IsEnough = (bytes: number) => boolean

export interface TakeSnapshotOptions {
  readonly index: number
  readonly projections: readonly SavedProjection[]
  readonly walk: SnapshotWalk
  readonly replica: Replica
  /** Where its state stands in the journal; as the replica remembers it if left out. */
  readonly head?: Head | undefined
  readonly journal: Journal
  readonly runtime: Runtime
  readonly limits: Limits
  readonly isEnded: () => boolean
}

/** A snapshot that was saved and read back; `cut` trims the journal once a SNAPSHOT record names it. */
export interface TakenSnapshot extends SnapshotBody {
  readonly rows: number
  readonly cut: () => Promise<void>
}

/**
 * Saves the state of `index` in slices while the partition serves, and reads it back (JR7). Undefined if the reign
 * ended meanwhile. Must be called once `index` is acked and the fold's head still stands at it or beyond.
 */
export async function takeSnapshot(options: TakeSnapshotOptions): Promise<TakenSnapshot | undefined> {
  const { index, walk, replica, journal, runtime, limits, isEnded, projections } = options
  const head = options.head ?? replica.headAt(index)
  const unit = {
    unit: replica.unit ?? '',
    before: replica.unitsBefore,
    layouts: replica.layouts,
    projections: replica.projected,
  }
  replica.placeSnapshot(index, head.next - 1)
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const writer = new ByteWriter(4096)
    writeValue(writer, {
      format: snapshotFormat,
      head,
      change: walk.change,
      time: walk.time,
      unit,
      leaseMs: replica.leaseMs,
      projections: projections.map(({ name }) => name),
    } satisfies SnapshotHead)
    yield withLength(writer.written())
    for (const saved of projections) yield* slices((isEnough) => saved.next(isEnough))
    let more = true
    yield* slices((isEnough) => {
      if (!more) return undefined
      more = walk.advance(isEnough)
      return walk.takeBytes()
    })
  }
  /** Blocks until there is none, each made within a slice of time. */
  async function* slices(next: (isEnough: IsEnough) => Uint8Array | undefined): AsyncGenerator<Uint8Array> {
    for (;;) {
      // Half a state must not be kept: its hash would be right for what it holds.
      if (isEnded()) throw new PlenumError('NOT_PRIMARY', 'The reign ended before its snapshot was whole.')
      const until = runtime.clock.monotonic() + limits.snapshotSliceMs
      let steps = 0
      const block = next((bytes) => bytes >= 256 << 10 || (++steps % 64 === 0 && runtime.clock.monotonic() >= until))
      if (block === undefined) return
      if (block.length > 0) yield withLength(block)
      await new Promise<void>((resolve) => runtime.timers.soon(resolve))
    }
  }
  let name: SnapshotBody
  try {
    name = {
      ...(await journal.saveSnapshot(index, chunks(), () => walk.hash.toString())),
      projections: hashesOf(projections),
    }
  } catch (error) {
    if (isEnded()) return undefined
    throw error
  }
  if (isEnded()) return undefined
  const loaded = await loadSnapshot(journal, name, undefined)
  if (loaded === undefined) throw corrupt(name, 'it cannot be read back')
  return { ...name, rows: walk.rows, cut: () => cutJournal(journal, replica) }
}

/** Trims the journal below the older of the two newest named snapshots, and removes older snapshots (JR7). */
export async function cutJournal(journal: Journal, replica: Replica): Promise<void> {
  if (replica.named.length < 2) return
  const oldest = replica.named[0]!
  for (const name of await journal.listSnapshots()) if (name.index < oldest.index) await journal.removeSnapshot(name)
  const position = replica.positionOf(oldest.index)
  if (position !== undefined) await journal.trim(position + 1)
}

/**
 * Reads a snapshot into a new replica and checks its hash. With `options` undefined it is only checked. Undefined if
 * there is none of that name; SNAPSHOT_CORRUPT if it is damaged.
 */
export async function loadSnapshot(
  journal: Journal,
  name: SnapshotName,
  options: ReplicaOptions | undefined,
): Promise<Replica | 'checked' | undefined> {
  const chunks = await journal.loadSnapshot(name)
  if (chunks === undefined) return undefined
  const hash = new StateHash()
  let head: SnapshotHead | undefined
  let replica: Replica | undefined
  const projections = new Map<string, ProjectionState>()
  let reader = new ProjectionReader()
  for await (const block of blocks(chunks, name)) {
    try {
      const next = head?.projections?.[projections.size]
      if (head === undefined) {
        head = readHead(block, name)
        if (options !== undefined) replica = beginReplica(head, options)
        hash.addCounters(head.change, head.time)
      } else if (next === undefined) {
        readRows(block, hash, head, replica)
      } else {
        const state = reader.add(block)
        if (state === undefined) continue
        projections.set(next, state)
        reader = new ProjectionReader()
      }
    } catch (error) {
      throw asDamage(name, error)
    }
  }
  if (projections.size < (head?.projections?.length ?? 0)) throw corrupt(name, 'it ends before its rows')
  if (hash.toString() !== name.hash) throw corrupt(name, `its state has the hash ${hash.toString()}`)
  replica?.projections.load(name.index, projections)
  return replica ?? 'checked'
}

function readHead(block: Uint8Array, name: SnapshotName): SnapshotHead {
  const head = readValue(new ByteReader(block)) as SnapshotHead
  if (!formatsRead.includes(head.format)) {
    throw new PlenumError(
      'FORMAT_UNKNOWN',
      `Snapshot ${name.index} has format ${head.format}; this version reads ${formatsRead.join(' and ')}.`,
    )
  }
  if (head.head.index !== name.index) throw corrupt(name, `it says that it is of index ${head.head.index}`)
  return head
}

/** What damaged bytes decode to is no sentence about the journal: another snapshot may be sound. */
function asDamage(name: SnapshotName, error: unknown): PlenumError {
  if (isPlenumError(error, 'FORMAT_UNKNOWN') || isPlenumError(error, 'SNAPSHOT_CORRUPT')) return error
  return corrupt(name, error instanceof Error ? error.message : String(error))
}

function beginReplica(head: SnapshotHead, options: ReplicaOptions): Replica {
  const replica = new Replica({ ...options, head: head.head })
  replica.declare(head.unit, head.head.index)
  replica.machine.restoreCounters(head.change, head.time)
  replica.placeSnapshot(head.head.index, head.head.next - 1)
  replica.bindLease(head.leaseMs)
  return replica
}

function readRows(block: Uint8Array, hash: StateHash, head: SnapshotHead, replica: Replica | undefined): void {
  const reader = new ByteReader(block)
  const layouts = replica?.machine.tables.map((table) => table.layout) ?? allLayouts(head)
  while (!reader.done) {
    const start = reader.at
    const table = reader.varint()
    const version = reader.varint()
    const stamp = reader.varint()
    const born = reader.varint()
    const has = reader.byte()
    const lease: RowLease | undefined =
      (has & rowHas.lease) === 0 ? undefined : { leaseMs: reader.varint(), expiresAt: reader.float64() }
    const shape = (has & rowHas.shape) === 0 ? 0 : reader.varint()
    const layout = layouts[table]
    if (layout === undefined)
      throw new PlenumError('SNAPSHOT_CORRUPT', `A snapshot names table ${table}, which is not declared.`)
    const value = readFields(reader, layout)
    hash.addRow(block, start, reader.at)
    replica?.machine.restore(replica.machine.tables[table]!, value, version, stamp, born, lease, shape)
  }
}

/** Chunks as they are saved may be cut anywhere when they are read: this puts the blocks together again. */
async function* blocks(chunks: AsyncIterable<Uint8Array>, name: SnapshotName): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : join(rest, chunk)
    for (;;) {
      if (rest.length < 4) break
      const length = new DataView(rest.buffer, rest.byteOffset, 4).getUint32(0, true)
      if (rest.length < 4 + length) break
      yield rest.subarray(4, 4 + length)
      rest = rest.subarray(4 + length)
    }
  }
  if (rest.length > 0) throw corrupt(name, 'it ends in the middle of a block')
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

function withLength(block: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + block.length)
  new DataView(framed.buffer).setUint32(0, block.length, true)
  framed.set(block, 4)
  return framed
}

function allLayouts(head: SnapshotHead): readonly Layout[] {
  return [...Object.values(ownLayouts), ...head.unit.layouts]
}

function corrupt(name: SnapshotName, why: string): PlenumError {
  return new PlenumError(
    'SNAPSHOT_CORRUPT',
    `The snapshot of index ${name.index} is damaged: ${why}. An older one, or the journal, is used instead.`,
    {
      details: { index: name.index },
    },
  )
}
