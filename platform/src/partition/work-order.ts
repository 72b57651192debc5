// In which order a worker's entries are handed out: as they were written, or one at a time of each group (SP9).
import { Heap } from '../kernel/index.ts'
import type { Row, Table } from '../space/index.ts'

/** An entry that a worker may claim, now or later. */
export interface Work {
  readonly row: Row
  /** The entry's stamp when it was last looked at. */
  stamp: number
  state: 'ready' | 'claimed' | 'put off'
  /** Partition time until which it is put off. */
  until: number
  /** Its FIFO group; undefined where the type has none. */
  readonly group: string | undefined
}

/** Tells whether an entry may still be handed out; what may not is dropped. */
type IsCurrent = (work: Work) => boolean

/** The order of one worker's entries. */
export interface WorkOrder {
  /** Takes in an entry that is ready, or put off and first of its group until then. */
  add(work: Work): void
  /** An entry that was put off is ready. */
  ready(work: Work): void
  /** What is handed out next; it stays. */
  next(): Work | undefined
  /** Takes out what `next` told. */
  take(work: Work): void
  /** Entries that it holds, those included that may not be handed out any more. */
  readonly size: number
  /** Drops what may not be handed out any more. */
  compact(): void
}

function wasWrittenBefore(one: Work, other: Work): boolean {
  return one.row.born < other.row.born
}

/** As they were written; those that are put off are left out. */
export class WriteOrder implements WorkOrder {
  readonly #ready = new Heap<Work>(wasWrittenBefore)
  readonly #isCurrent: IsCurrent

  constructor(isCurrent: IsCurrent) {
    this.#isCurrent = isCurrent
  }

  get size(): number {
    return this.#ready.size
  }

  add(work: Work): void {
    if (work.state === 'ready') this.#ready.push(work)
  }

  ready(work: Work): void {
    this.#ready.push(work)
  }

  next(): Work | undefined {
    for (;;) {
      const { first } = this.#ready
      if (first === undefined || this.#isCurrent(first)) return first
      this.#ready.pop()
    }
  }

  take(): void {
    this.#ready.pop()
  }

  compact(): void {
    this.#ready.keepOnly(this.#isCurrent)
  }
}

/** The FIFO groups of one entry type that somebody works on, whichever worker it is. */
export class Groups {
  readonly #busy = new Set<string>()
  /** Index of the record with which the last claim in a group has ended, as long as it may not be acked. */
  readonly #ends = new Map<string, number>()
  readonly #orders = new Set<GroupOrder>()

  isBusy(group: string): boolean {
    return this.#busy.has(group)
  }

  occupy(group: string): void {
    this.#busy.add(group)
  }

  /** The group is free again; what is handed out of it next depends on `index`. */
  free(group: string, index: number, acked: number): void {
    this.#busy.delete(group)
    if (index > acked) this.#ends.set(group, index)
    if (this.#ends.size > 1_024) for (const [one, end] of this.#ends) if (end <= acked) this.#ends.delete(one)
    for (const order of this.#orders) order.freed(group)
  }

  /** The index on which the next claim in a group depends. */
  dependencyOf(group: string): number {
    return this.#ends.get(group) ?? 0
  }

  /** An order that hears of groups that are free. */
  join(order: GroupOrder): void {
    this.#orders.add(order)
  }
}

/** The entries of one group. */
interface Lane {
  readonly group: string
  readonly works: Heap<Work>
  /** Where it stands among those that may have something to hand out; undefined if it does not. */
  listedAt: number | undefined
}

/** One at a time of each group, as they were written; one that is put off holds back its group. */
export class GroupOrder implements WorkOrder {
  readonly #groups: Groups
  readonly #isCurrent: IsCurrent
  readonly #lanes = new Map<string, Lane>()
  readonly #listed = new Heap<{ readonly born: number; readonly lane: Lane }>((one, other) => one.born < other.born)
  #size = 0

  constructor(groups: Groups, isCurrent: IsCurrent) {
    this.#groups = groups
    this.#isCurrent = isCurrent
    groups.join(this)
  }

  get size(): number {
    return this.#size
  }

  add(work: Work): void {
    const group = work.group ?? ''
    let lane = this.#lanes.get(group)
    if (lane === undefined) {
      lane = { group, works: new Heap<Work>(wasWrittenBefore), listedAt: undefined }
      this.#lanes.set(group, lane)
    }
    lane.works.push(work)
    this.#size += 1
    this.#list(lane)
  }

  ready(work: Work): void {
    this.freed(work.group ?? '')
  }

  freed(group: string): void {
    const lane = this.#lanes.get(group)
    if (lane !== undefined) this.#list(lane)
  }

  next(): Work | undefined {
    for (let listed = this.#listed.first; listed !== undefined; listed = this.#listed.first) {
      const { born, lane } = listed
      const first = born === lane.listedAt ? this.#firstOf(lane) : undefined
      if (first?.row.born === born && first.state === 'ready' && !this.#groups.isBusy(lane.group)) return first
      // It is listed again when its group is free, when its first is ready, or when something comes.
      this.#listed.pop()
      if (born !== lane.listedAt) continue
      lane.listedAt = undefined
      if (first === undefined) this.#lanes.delete(lane.group)
      // What it was listed for is gone, and others may come before what is left.
      else if (first.row.born !== born) this.#list(lane)
    }
    return undefined
  }

  take(work: Work): void {
    this.#lanes.get(work.group ?? '')?.works.pop()
    this.#size -= 1
  }

  compact(): void {
    for (const [group, { works }] of this.#lanes) {
      this.#size -= works.size
      works.keepOnly(this.#isCurrent)
      this.#size += works.size
      if (works.size === 0) this.#lanes.delete(group)
    }
    // One that stayed listed would be taken for the group's next lane, which would be forgotten with it.
    this.#listed.keepOnly(({ born, lane }) => lane.works.size > 0 && born === lane.listedAt)
  }

  #list(lane: Lane): void {
    const born = lane.works.first?.row.born ?? 0
    if (lane.listedAt !== undefined && lane.listedAt <= born) return
    lane.listedAt = born
    this.#listed.push({ born, lane })
  }

  #firstOf({ works }: Lane): Work | undefined {
    for (;;) {
      const { first } = works
      if (first === undefined || this.#isCurrent(first)) return first
      works.pop()
      this.#size -= 1
    }
  }
}

/** The FIFO group of an entry: its route and the value of the field that makes groups. */
export function groupOf(table: Table, row: Row): string | undefined {
  const { fifo, route } = table.layout
  if (fifo === undefined) return undefined
  return JSON.stringify([...route, fifo].map((field) => exactPart(row.value[field])))
}

function exactPart(part: unknown): unknown {
  return typeof part === 'bigint' ? { bigint: part.toString() } : part
}
