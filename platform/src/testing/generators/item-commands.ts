// Random commands on a small entry type that has a bit of everything.
import type { Random } from '../../runtime/index.ts'
import type {
  AggregateRequest,
  KeyFields,
  ReadCommand,
  StoredValue,
  WriteCommand,
  WriteOptions,
} from '../../space/index.ts'
import { chance, hotNumber, pick, pickWeighted } from './choices.ts'

/** The entry type that the commands are for: its id is `id`, its route `group`. */
export interface Item {
  readonly id: string
  readonly group: string
  readonly n: number
  readonly note?: string | null | undefined
  readonly size: { readonly width: number; readonly height?: number | undefined }
  readonly tags: readonly string[]
}

/** What kinds of command there are. */
export type ItemOperation = ReadCommand['kind'] | WriteCommand['kind'] | 'batch'

/** Which commands are drawn, and on which entries. */
export interface ItemProfile {
  /** Name of the entry type. */
  readonly type: string
  readonly ids: number
  readonly groups: number
  /** 1 for all entries alike, more for few that are used much. */
  readonly heat: number
  readonly weights: Readonly<Record<ItemOperation, number>>
  /** Share of writes with a lease, and its milliseconds at most. */
  readonly leased: number
  readonly leaseMsMax: number
  /** Share of changes that are conditional on a stamp. */
  readonly conditional: number
  /** Characters of a note at most; beyond the limit of a value its write is refused. */
  readonly noteLengthMax: number
}

/** One command, or several as a batch. */
export type ItemCommand =
  | ReadCommand
  | WriteCommand
  | { readonly kind: 'batch'; readonly commands: readonly DataCommand[] }
type DataCommand = ReadCommand | WriteCommand

/** A profile of a seed: few or many entries, one hot key or none, much or little of each operation. */
export function drawItemProfile(random: Random, type: string): ItemProfile {
  const weight = (): number => pick(random, [0, 1, 1, 5])
  return {
    type,
    ids: pick(random, [1, 4, 30]),
    groups: pick(random, [1, 3, 12]),
    heat: pick(random, [1, 1, 4]),
    weights: {
      get: 3,
      read: weight(),
      readAll: weight(),
      count: weight(),
      insert: 1 + weight(),
      write: 2,
      update: weight(),
      patch: weight(),
      change: weight(),
      remove: weight(),
      aggregate: weight(),
      explain: weight(),
      take: weight(),
      takeAll: pick(random, [0, 0, 1]),
      clear: pick(random, [0, 0, 1]),
      renew: weight(),
      batch: weight(),
    },
    leased: pick(random, [0, 0.1, 0.5]),
    leaseMsMax: pick(random, [50, 2_000, 60_000]),
    conditional: pick(random, [0, 0.2, 0.6]),
    noteLengthMax: pick(random, [0, 20, 700]),
  }
}

/** Draws commands of a profile; it remembers stamps that it was told, for conditions that sometimes hold. */
export class ItemCommands {
  readonly profile: ItemProfile
  readonly #random: Random
  readonly #stamps = new Map<string, number>()

  constructor(random: Random, profile: ItemProfile) {
    this.#random = random
    this.profile = profile
  }

  next(): ItemCommand {
    const operation = pickWeighted(this.#random, this.profile.weights)
    if (operation !== 'batch') return this.#one(operation)
    const { batch: _, ...single } = this.profile.weights
    const group = this.#group()
    // A batch goes to one partition, so that its entries share a group.
    const commands = Array.from({ length: 1 + this.#random.integer(4) }, () =>
      this.#one(pickWeighted(this.#random, single), group),
    )
    return { kind: 'batch', commands }
  }

  /** Takes note of the answer to a command; its stamp may become a condition. */
  learn(command: ItemCommand, answer: unknown): void {
    if (command.kind === 'batch' || typeof answer !== 'object' || answer === null || !('stamp' in answer)) return
    const key = 'value' in command ? command.value : 'key' in command ? command.key : undefined
    if (key !== undefined && typeof answer.stamp === 'number') this.#stamps.set(keyText(key), answer.stamp)
  }

  #one(kind: Exclude<ItemOperation, 'batch'>, group = this.#group()): DataCommand {
    const { type } = this.profile
    const key = { id: `item-${hotNumber(this.#random, this.profile.ids, this.profile.heat)}`, group }
    switch (kind) {
      case 'get':
        return { kind, type, key }
      case 'read':
      case 'readAll':
      case 'count':
      case 'explain':
        return this.#query(kind, group)
      case 'take':
        return { kind, type, where: this.#where(group), options: {} }
      case 'takeAll':
        return { kind, type, where: this.#where(group), options: pick(this.#random, [{}, { limit: 2 }]) }
      case 'clear':
        return { kind, type, where: this.#where(group), options: pick(this.#random, [{}, { limit: 2 }]) }
      case 'aggregate':
        return { kind, type, where: this.#where(group), request: this.#request() }
      case 'renew':
        return { kind, type, key, leaseMs: this.#leaseMs(0.7) }
      case 'insert':
      case 'write':
      case 'update':
        return { kind, type, value: { ...this.#value(key) }, options: this.#options(key, kind !== 'insert') }
      case 'patch':
        return { kind, type, key, fields: this.#fields(), options: this.#options(key, true) }
      case 'change':
        return { kind, type, key, mutations: this.#mutations(), options: this.#options(key, true) }
      case 'remove':
        return { kind, type, key, options: { ...this.#options(key, true), leaseMs: undefined } }
    }
  }

  #leaseMs(chanceOfOne: number): number | undefined {
    return chance(this.#random, chanceOfOne) ? 1 + this.#random.integer(this.profile.leaseMsMax) : undefined
  }

  #request(): AggregateRequest {
    return pick<AggregateRequest>(this.#random, [
      {},
      { sum: ['n'], avg: ['size.width'] },
      { groupBy: ['note'], min: ['n', 'note'], max: ['size.height'] },
      { groupBy: ['size.width', 'size.height'], sum: ['n'] },
    ])
  }

  #where(group: string): StoredValue {
    const random = this.#random
    return {
      group,
      ...pick<StoredValue>(random, [
        {},
        { n: { gte: random.integer(50), lt: 50 + random.integer(50) } },
        { tags: { contains: pick(random, tagNames) } },
        { 'size.height': { exists: chance(random, 0.5) } },
        { or: [{ note: null }, { note: { startsWith: 'a' } }] },
        { not: { n: { in: [1, 2, 3] } } },
        { id: { in: ['item-0', 'item-1'] }, 'size.width': { ne: 2 } },
        { n: random.integer(100) },
        { n: { in: [1, 2, random.integer(100)] }, 'size.width': { lte: 3 } },
        { or: [{ 'size.width': 1 }, { n: { gt: 90 } }] },
      ]),
    }
  }

  #query(kind: 'read' | 'readAll' | 'count' | 'explain', group: string): ReadCommand {
    const random = this.#random
    const where = this.#where(group)
    if (kind === 'count') return { kind, type: this.profile.type, where, options: {} }
    const options = {
      ...pick(random, [
        {},
        { orderBy: { n: 'asc' } as const },
        { orderBy: { n: 'desc' } as const },
        { orderBy: { 'size.width': 'desc', id: 'asc' } as const },
      ]),
      ...pick(random, [{}, {}, { limit: 1 + random.integer(3) }, { offset: random.integer(3), limit: 2 }]),
      ...pick(random, [{}, {}, { select: ['id', 'n'] }]),
    }
    return { kind, type: this.profile.type, where, options }
  }

  #value(key: { readonly id: string; readonly group: string }): Item {
    const random = this.#random
    const item = { ...key, n: random.integer(100), size: this.#size(), tags: this.#tags() }
    return chance(random, 0.5) ? { ...item, note: this.#note() } : item
  }

  #fields(): StoredValue {
    const random = this.#random
    return pick(random, [
      { n: random.integer(100) },
      { note: this.#note() },
      { note: undefined, tags: this.#tags() },
      { size: this.#size(), n: 1 },
    ])
  }

  #mutations() {
    const random = this.#random
    return pick(random, [
      { add: { n: random.integer(10) - 5 } },
      { set: { 'size.height': random.integer(9) }, max: { n: random.integer(100) } },
      { unset: ['size.height', 'note'] },
      { min: { 'size.width': random.integer(9) }, add: { n: 1 } },
      // There may be no height to add to: then it is refused.
      { add: { 'size.height': 1 } },
    ])
  }

  #options(key: KeyFields, conditional: boolean): WriteOptions {
    const random = this.#random
    const stamp = this.#stamps.get(keyText(key))
    return {
      ifStamp: conditional && stamp !== undefined && chance(random, this.profile.conditional) ? stamp : undefined,
      leaseMs: this.#leaseMs(this.profile.leased),
      returning: conditional && chance(random, 0.2) ? 'previous' : undefined,
    }
  }

  #note(): string | null {
    const random = this.#random
    if (chance(random, 0.3)) return null
    return pick(random, ['a', 'b', 'ü']).repeat(random.integer(this.profile.noteLengthMax + 1))
  }

  #size(): Item['size'] {
    const random = this.#random
    const size = { width: random.integer(5) }
    return chance(random, 0.5) ? { ...size, height: random.integer(5) } : size
  }

  #tags(): readonly string[] {
    return tagNames.filter(() => chance(this.#random, 0.4))
  }

  #group(): string {
    return `group-${hotNumber(this.#random, this.profile.groups, this.profile.heat)}`
  }
}

const tagNames: readonly string[] = ['red', 'green', 'blue']

/** The route of a command: the group that all of its entries are in. */
export function groupOf(command: ItemCommand): unknown {
  if (command.kind === 'batch') return command.commands[0] === undefined ? undefined : groupOf(command.commands[0])
  if ('value' in command) return command.value['group']
  return 'where' in command ? command.where['group'] : command.key['group']
}

function keyText(key: KeyFields): string {
  return `${String(key['group'])}/${String(key['id'])}`
}
