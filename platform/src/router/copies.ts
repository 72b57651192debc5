// Entry types that every partition has (`placement: 'everywhere'`): many copies, seen from outside as one partition.
//
// I1 Every change is one transaction that makes it at all partitions, so that the copies are the same (TX1).
// I2 Whatever is read from outside is read at the first partition: one copy has the stamps, the tokens and the cursors.
import { PlenumError } from '../kernel/index.ts'
import {
  errorData,
  isChange,
  type Answer,
  type Command,
  type KeyFields,
  type ReadCommand,
  type StoredValue,
  type Wait,
  type WriteCommand,
} from '../space/index.ts'
import type { RouteOptions } from './router.ts'
import type { Sender } from './sender.ts'

/** The partition that is asked from outside. */
const home = 0

/** Runs a function whose commands are made together or not at all. */
export type Transact = <R>(run: (scope: Sender) => Promise<R>, options: RouteOptions | undefined) => Promise<R>

/** The fields that name an entry of a type. */
type KeyOf = (type: string, value: StoredValue) => KeyFields

/** A sender to copies, like one to a single partition. */
export class Copies implements Sender {
  readonly partitions = 1
  readonly inTransaction: boolean
  readonly #sender: Sender
  readonly #transact: Transact
  readonly #keyOf: KeyOf

  constructor(sender: Sender, transact: Transact, keyOf: KeyOf) {
    this.inTransaction = sender.inTransaction
    this.#sender = sender
    this.#transact = transact
    this.#keyOf = keyOf
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
    if (command.kind === 'batch' && command.commands.some(isChange)) return this.#batch(command.commands, options)
    if (!isChange(command)) return this.#sender.send(home, command, options)
    return this.#together((scope) => this.#change(scope, command), options)
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

  /** Each with an outcome of its own, and one transaction for those that can be made (SP10). */
  #batch(commands: readonly (ReadCommand | WriteCommand)[], options: RouteOptions | undefined): Promise<Answer[]> {
    const outcome = async (scope: Sender, command: WriteCommand): Promise<Answer> => {
      try {
        return { ok: true, value: await this.#change(scope, command) }
      } catch (error) {
        return { ok: false, error: errorData(error) }
      }
    }
    const changes = commands.filter(isChange)
    return this.#together((scope) => Promise.all(changes.map((change) => outcome(scope, change))), options)
  }

  #together<R>(run: (scope: Sender) => Promise<R>, options: RouteOptions | undefined): Promise<R> {
    if (options?.key !== undefined) throw notEverywhere('a key')
    return this.inTransaction ? run(this.#sender) : this.#transact(run, options)
  }

  /** Makes a change at the first partition, and what it did there at all others (I1). */
  async #change(scope: Sender, command: WriteCommand): Promise<unknown> {
    refuseLease(command)
    const first = command.kind === 'clear' ? ({ ...command, kind: 'takeAll' } as const) : command
    const answer = await scope.send(home, first)
    const same = this.#madeBy(first, answer)
    const others = Array.from({ length: this.#sender.partitions - 1 }, (_, at) => home + 1 + at)
    await Promise.all(others.flatMap((partition) => same.map((one) => scope.send(partition, one))))
    return command.kind === 'clear' ? (answer as readonly unknown[]).length : answer
  }

  /** What a command did, as commands that do the same to another copy; stamps are those of the first alone. */
  #madeBy(command: WriteCommand, answer: unknown): readonly WriteCommand[] {
    if (!('where' in command)) return [{ ...command, options: {} } as WriteCommand]
    const { type } = command
    const taken = (Array.isArray(answer) ? answer : [answer]) as readonly (StoredValue | null | undefined)[]
    return taken.flatMap((value) =>
      value === undefined || value === null
        ? []
        : [{ kind: 'remove', type, key: this.#keyOf(type, value), options: { reason: 'taken' } } as const],
    )
  }
}

/** Each copy would end its lease by the time of its own partition. */
function refuseLease(command: WriteCommand): void {
  if (
    command.kind === 'renew' ||
    ('options' in command && 'leaseMs' in command.options && command.options.leaseMs !== undefined)
  )
    throw notEverywhere('a lease')
}

function notEverywhere(what: string): PlenumError {
  return new PlenumError('PLACEMENT_INVALID', `For entries that every partition has, ${what} is not possible.`, {
    details: { what },
  })
}
