import { RouteHasher, slotCount } from '../codec/index.ts'

/** A range of slots, both ends included. */
export interface SlotRange {
  readonly from: number
  readonly to: number
}

/** Which partition owns which slots: equal contiguous shares, the first version of the map (ID3, GR1). */
export class SlotMap {
  readonly partitions: number

  constructor(partitions: number) {
    this.partitions = partitions
  }

  /** The partition that owns a slot. */
  partitionOf(slot: number): number {
    return Math.floor((slot * this.partitions) / slotCount)
  }

  /** The slots of a partition. */
  rangesOf(partition: number): readonly SlotRange[] {
    const from = Math.ceil((partition * slotCount) / this.partitions)
    const to = Math.ceil(((partition + 1) * slotCount) / this.partitions) - 1
    return [{ from, to }]
  }
}

/** Tells the partition of a route, of so many partitions (ID3). */
export function partitionerOf(partitions: number): (route: unknown) => number {
  const slots = new SlotMap(partitions)
  const hasher = new RouteHasher()
  return (route) => slots.partitionOf(hasher.slotOf(route))
}
