// Entry types that every partition has (`placement: 'everywhere'`): many copies, seen from outside as one partition.
//
// I1 Every change is one transaction that makes it at all partitions, so that the copies are the same (TX1). Where one of
//    them cannot make it although the first could, the whole transaction ends.
// I2 What the first partition has made of a change is what the others repeat: its choice, and its value as admitted.
// I3 Whatever is read from outside is read at the first partition: one copy has the stamps, the tokens and the cursors.
import { PlenumError } from '../kernel/index.ts'
import { errorData, isChange, type Answer, type Command, type Wait, type WriteCommand } from '../space/index.ts'
import { copied } from './copied.ts'
import type { RouteOptions } from './router.ts'
import type { Sender } from './sender.ts'
import type { TransactionScope } from './transaction.ts'

/** The partition that is asked from outside. */
const home = 0

/** Runs a function whose commands are made together or not at all. */
export type Transact = <R>(
  run: (scope: TransactionScope) => Promise<R>,
  options: RouteOptions | undefined,
) => Promise<R>

/** A sender to copies, like one to a single partition. */
export class Copies implements Sender {
  readonly partitions = 1
  readonly inTransaction: boolean
  readonly #sender: Sender
  readonly #transact: Transact

  constructor(sender: Sender, transact: Transact) {
    this.inTransaction = sender.inTransaction
    this.#sender = sender
    this.#transact = transact
  }

  partitionOf(): number {
    return home
  }

  route(_: unknown, command: Command, options?: RouteOptions): Promise<unknown> {
    return this.send(home, command, options)
  }

  async all(command: Command, options?: RouteOptions): Promise<readonly unknown[]> {
    return [await this.send(home, command, options)]
  }

  async send(_: number, command: Command, options?: RouteOptions): Promise<unknown> {
    const changes = command.kind === 'batch' ? command.commands.filter(isChange) : isChange(command) ? [command] : []
    if (changes.length === 0) return this.#sender.send(home, command, options)
    if (options?.key !== undefined) throw notEverywhere('a key')
    for (const change of changes) refuseLease(change)
    const own = copied(changes)
    const [first] = own
    if (command.kind !== 'batch') return this.#transact((scope) => this.#change(scope, first!, options), options)
    return this.#transact((scope) => Promise.all(own.map((one) => this.#outcome(scope, one, options))), options)
  }

  newWait(ms: number): Wait {
    return this.#sender.newWait(ms)
  }

  cancel(_: number, wait: Wait): Promise<void> {
    return this.#sender.cancel(home, wait)
  }

  now(): number {
    return this.#sender.now()
  }

  /** One of a batch: each has an outcome of its own, and those that can be made are made together (SP10). */
  async #outcome(scope: TransactionScope, command: WriteCommand, options: RouteOptions | undefined): Promise<Answer> {
    try {
      return { ok: true, value: await this.#change(scope, command, options) }
    } catch (error) {
      return { ok: false, error: errorData(error) }
    }
  }

  /** Makes a change at the first partition, and what it did there at all others (I1, I2). */
  async #change(scope: TransactionScope, command: WriteCommand, options: RouteOptions | undefined): Promise<unknown> {
    const own = this.inTransaction ? options : undefined
    const { value, made } = await scope.attempt(home, command, own)
    const others = Array.from({ length: this.#sender.partitions - 1 }, (_, at) => home + 1 + at)
    try {
      await Promise.all(
        others.flatMap((partition) => made.map((one) => scope.attempt(partition, again(one), own, true))),
      )
    } catch (error) {
      scope.doom(error)
      throw error
    }
    return value
  }
}

/** The same change for another copy: the condition was met at the first, whose stamps are not those of the others. */
function again(command: WriteCommand): WriteCommand {
  if (!('options' in command)) return command
  return { ...command, options: 'reason' in command.options ? { reason: command.options.reason } : {} } as WriteCommand
}

/** Each copy would end its lease by the time of its own partition. */
function refuseLease(command: WriteCommand): void {
  const isLeased =
    command.kind === 'renew' ||
    ('options' in command && 'leaseMs' in command.options && command.options.leaseMs !== undefined)
  if (isLeased) throw notEverywhere('a lease')
}

function notEverywhere(what: string): PlenumError {
  return new PlenumError('PLACEMENT_INVALID', `For entries that every partition has, ${what} is not possible.`, {
    details: { what },
  })
}
