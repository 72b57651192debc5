import { PlenumError, type Limits } from '../../kernel/index.ts'
import type { Found, JournalRecord, Position } from '../../journal/index.ts'
import { Replica, type ReplicaObserver } from '../../partition/index.ts'
import type { Runtime } from '../../runtime/index.ts'

/**
 * The witness of one partition: folds everything that its stream ever stored, from zero, and remembers the hash of the
 * state at each index, so that whatever a member claims can be compared at its own index (A1, A5).
 */
export class PartitionWitness {
  readonly replica: Replica
  readonly #records: (from: Position) => readonly Found[]
  readonly #partition: number
  readonly #hashes = new Map<number, string>()
  #accepted = 0

  constructor(
    partition: number,
    journalId: Uint8Array,
    runtime: Runtime,
    limits: Limits,
    records: (from: Position) => readonly Found[],
    observe?: ReplicaObserver,
  ) {
    this.#partition = partition
    this.#records = records
    this.replica = new Replica({
      journal: journalId,
      digest: (parts) => runtime.digest(parts),
      limits,
      keepRecent: false,
      observe: (record: JournalRecord, effects) => {
        this.#accepted += 1
        this.#hashes.set(record.index, this.replica.hash())
        observe?.(record, effects)
      },
    })
  }

  /** Records of history so far. */
  get accepted(): number {
    return this.#accepted
  }

  /** Reads what was stored since it last looked, and returns the last index; to be called before anything is trimmed. */
  look(): number {
    for (const found of this.#records(this.replica.fold.head.next)) this.replica.offer(found)
    return this.replica.fold.head.index
  }

  /** CHECK_FAILED unless a state at `index` has this hash. */
  compare(who: string, index: number, hash: string): void {
    if (index === 0 || this.#hashes.get(index) === hash) return
    throw new PlenumError(
      'CHECK_FAILED',
      `Partition ${this.#partition}: the state of ${who} at index ${index} has the hash ${hash}, the fold from zero has ${this.#hashes.get(index) ?? 'no such index'}.`,
      { details: { partition: this.#partition, who, index, hash } },
    )
  }
}
