import { ownLayouts, type Answers, type Command, type Machine } from '../space/index.ts'
import { attempt } from './draft.ts'
import type { Execution, LogicCommand } from './logic.ts'
import type { Transactions } from './transactions.ts'

/** Executes commands on the machine of a reign: the partition's own here, everything else by the unit's logic (A6). */
export class Commands {
  readonly #machine: Machine
  readonly #execution: Execution
  readonly #answers: Answers
  readonly #transactions: Transactions

  constructor(machine: Machine, execution: Execution, answers: Answers, transactions: Transactions) {
    this.#machine = machine
    this.#execution = execution
    this.#answers = answers
    this.#transactions = transactions
  }

  /** What a command that changes nothing finds; a task may return a promise. */
  evaluate(command: Command): unknown {
    switch (command.kind) {
      case 'source-state': {
        const table = this.#machine.table(ownLayouts.source.name)
        const row = table.find({ source: command.source })
        this.#execution.dependency = row?.index ?? table.lastIndex
        return row?.value
      }
      case 'draft':
      case 'validate':
        return this.#transactions.evaluate(command)
      case 'batch':
        return command.commands.map((one) => attempt(() => this.evaluate(one)))
      default:
        return this.#execution.execute(command as LogicCommand)
    }
  }

  /** Makes a change, within the command that the caller has begun. */
  change(command: Command): unknown {
    switch (command.kind) {
      case 'register':
        return this.#answers.register(command.session)
      case 'end':
        return this.#answers.end(command.session)
      case 'source-loaded': {
        const table = this.#machine.table(ownLayouts.source.name)
        const value = { source: command.source, state: 'loaded', rows: command.rows }
        this.#machine.put(table, table.find(value), value)
        return undefined
      }
      case 'prepare':
      case 'commit':
      case 'outcome':
      case 'informed':
      case 'inquire':
        return this.#transactions.change(command)
      case 'batch':
        return command.commands.map((one) => attempt(() => this.#execution.execute(one)))
      default:
        return this.#execution.execute(command as LogicCommand)
    }
  }
}
