import { PlenumError, type Limits } from '../../kernel/index.ts'
import type { Found, JournalRecord, Position } from '../../journal/index.ts'
import { hashesOf, Replica, type Folding, type ReplicaObserver } from '../../partition/index.ts'
import type { Runtime } from '../../runtime/index.ts'

/** What a member says that it holds: the hash of its state at an index. */
export interface Claim {
  readonly who: string
  readonly index: number
  readonly hash: string
}

/** The hash of everything that a replica holds: its state, and that of its projections. */
export function fullHash(replica: Replica): string {
  const projections = Object.entries(hashesOf(replica.projections.save()))
  return [replica.hash(), ...projections.map((one) => one.join(' '))].join(', ')
}

/**
 * The witness of one partition: folds everything that its stream ever stored, from zero, so that whatever a member
 * claims can be compared at its own index (A1, A5).
 *
 * A hash is a walk over the whole state, so it is made where somebody claims one: at the head, or by a second fold that
 * goes no further than the claims that are behind the head.
 */
export class PartitionWitness {
  readonly replica: Replica
  readonly #records: (from: Position) => readonly Found[]
  readonly #partition: number
  readonly #newReplica: (observe?: ReplicaObserver) => Replica
  /** Everything that was read, for the second fold: the stream itself may be trimmed. */
  readonly #read: Found[] = []
  readonly #hashes = new Map<number, string>()
  #behind: { readonly replica: Replica; read: number } | undefined
  #accepted = 0

  constructor(
    partition: number,
    journalId: Uint8Array,
    runtime: Runtime,
    limits: Limits,
    records: (from: Position) => readonly Found[],
    observe?: ReplicaObserver,
    folding?: Folding,
  ) {
    this.#partition = partition
    this.#records = records
    const digest = (parts: readonly Uint8Array[]): Uint8Array => runtime.digest(parts)
    this.#newReplica = (seen) =>
      new Replica({ journal: journalId, digest, limits, keepRecent: false, observe: seen, folding })
    this.replica = this.#newReplica((record: JournalRecord, effects, ends) => {
      this.#accepted += 1
      observe?.(record, effects, ends)
    })
  }

  /** Records of history so far. */
  get accepted(): number {
    return this.#accepted
  }

  /** Reads what was stored since it last looked, and returns the last index; to be called before anything is trimmed. */
  look(): number {
    for (const found of this.#records(this.replica.fold.head.next)) {
      this.#read.push(found)
      this.replica.offer(found)
    }
    return this.replica.fold.head.index
  }

  /** CHECK_FAILED unless a state at the index of each claim has its hash. */
  compare(claims: readonly Claim[]): void {
    // In order, so that the second fold seldom has to begin again.
    for (const { who, index, hash } of claims.toSorted((a, b) => a.index - b.index)) {
      const own = index === 0 ? hash : this.#hashAt(index)
      if (own === hash) continue
      throw new PlenumError(
        'CHECK_FAILED',
        `Partition ${this.#partition}: the state of ${who} at index ${index} has the hash ${hash}, the fold from zero has ${own ?? 'no such index'}.`,
        { details: { partition: this.#partition, who, index, hash } },
      )
    }
  }

  /** The hash of the state at an index; undefined if no record was accepted there. */
  #hashAt(index: number): string | undefined {
    const known = this.#hashes.get(index)
    if (known !== undefined) return known
    const head = this.replica.fold.head.index
    if (index > head) return undefined
    const hash = fullHash(index === head ? this.replica : this.#foldTo(index))
    this.#hashes.set(index, hash)
    return hash
  }

  /** The state at an index that the head has passed. */
  #foldTo(index: number): Replica {
    if (this.#behind === undefined || this.#behind.replica.fold.head.index > index)
      this.#behind = { replica: this.#newReplica(), read: 0 }
    const { replica } = this.#behind
    while (replica.fold.head.index < index) replica.offer(this.#read[this.#behind.read++]!)
    return replica
  }
}
