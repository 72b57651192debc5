import {
  ownLayouts,
  type Answers,
  type Command,
  type Delivered,
  type FailureCommand,
  type Machine,
} from '../space/index.ts'
import type { Afterwards } from './afterwards.ts'
import { attempt } from './draft.ts'
import type { Execution, LogicCommand } from './logic.ts'
import type { Projections } from './projections.ts'
import type { Transactions } from './transactions.ts'
import type { UnitWork } from './unit-work.ts'

/** What executes commands, in one reign. */
export interface CommandsOptions {
  readonly machine: Machine
  readonly execution: Execution
  readonly projections: Projections
  readonly answers: Answers
  readonly transactions: Transactions
  readonly work: UnitWork
  readonly afterwards: Afterwards
  /** The index of the open batch, or the last one if it holds nothing. */
  readonly lastIndex: () => number
}

/** Executes commands on the machine of a reign: the partition's own here, everything else by the unit's logic (A6). */
export class Commands {
  readonly #options: CommandsOptions

  constructor(options: CommandsOptions) {
    this.#options = options
  }

  /** What a command that changes nothing finds; a task may return a promise. */
  evaluate(command: Command): unknown {
    const { machine, execution, projections, transactions, work } = this.#options
    const { failures, messages } = work
    switch (command.kind) {
      case 'source-state': {
        const table = machine.table(ownLayouts.source.name)
        const row = table.find({ source: command.source })
        execution.dependency = row?.index ?? table.lastIndex
        return row?.value
      }
      case 'draft':
      case 'validate':
        return transactions.evaluate(command)
      case 'dead-letters':
        execution.dependency = Infinity
        return failures.deadLetters(command.worker, command.limit)
      case 'messages':
        execution.dependency = Infinity
        return messages.tell(command.limit)
      case 'projection':
        return projections.tell(command.projection)
      case 'sink':
        return work.sinks.tell(command.sink)
      case 'batch':
        return command.commands.map((one) => attempt(() => this.evaluate(one)))
      default:
        return execution.execute(command as LogicCommand)
    }
  }

  /** Makes a change, within the command that the caller has begun. */
  change(command: Command): unknown {
    const { machine, execution, answers, transactions, work } = this.#options
    const { messages, schedules } = work
    switch (command.kind) {
      case 'register':
        return answers.register(command.session)
      case 'end':
        return answers.end(command.session)
      case 'source-loaded': {
        const table = machine.table(ownLayouts.source.name)
        const value = { source: command.source, state: 'loaded', rows: command.rows }
        machine.put(table, table.find(value), value)
        return undefined
      }
      case 'prepare':
      case 'commit':
      case 'outcome':
      case 'informed':
      case 'inquire':
        return transactions.change(command)
      case 'work-failed':
        return this.#workFailed(command)
      case 'send-back':
        return this.#sendBack(command)
      case 'schedules-due':
        return schedules.note()
      case 'deliver':
        return this.#deliver(command)
      case 'delivered':
        return messages.delivered(command.ids)
      case 'messages-due':
        return messages.due(command.ids)
      case 'sink-written':
        return work.sinks.note(command)
      case 'project':
        return work.projected.send(command)
      case 'bury':
        return messages.bury(command)
      case 'discard':
        return messages.discard(command.ids)
      case 'send-again':
        return messages.sendAgain(command.ids)
      case 'batch':
        return command.commands.map((one) => attempt(() => execution.execute(one)))
      default:
        return this.#execute(command as LogicCommand)
    }
  }

  /** What a call sends is part of its commit (UN12). */
  #execute(command: LogicCommand, isDelivery = false): unknown {
    const { execution, work, afterwards, lastIndex } = this.#options
    const { messages } = work
    const value = execution.execute(command)
    messages.post(execution.takeSent(), isDelivery)
    const logged = execution.takeLines?.() ?? []
    if (logged.length > 0) afterwards.add(() => work.lines.add(lastIndex(), logged))
    return value
  }

  #deliver(command: Extract<Command, { kind: 'deliver' }>): Delivered {
    const { execution, work } = this.#options
    const { messages } = work
    const outcome = messages.deliver(command, (call) => void this.#execute({ kind: 'call', ...call }, true))
    execution.dependency = Math.max(execution.dependency, messages.arrivedIndex(command.from))
    return outcome
  }

  /** True if it was a dead letter's last attempt; false also where the claim is over, and nothing is kept. */
  #workFailed(command: Extract<FailureCommand, { kind: 'work-failed' }>): boolean {
    const {
      afterwards,
      work: { claims, failures },
    } = this.#options
    const claim = claims.find(command.claim)
    if (claim === undefined) return false
    const { queue, work } = claim
    const isThere = claims.isAsClaimed(claim)
    const failure = isThere ? failures.add(queue.rule.name, queue.table, work.row, command) : undefined
    afterwards.add(() => claims.end(claim, failure?.retryAt))
    return failure?.isDead === true
  }

  #sendBack({ worker, entries }: Extract<FailureCommand, { kind: 'send-back' }>): number {
    const { afterwards, execution, work } = this.#options
    const { claims, failures } = work
    const back = failures.sendBack(worker, entries)
    execution.dependency = failures.lastIndex
    afterwards.add(() => claims.sentBack(back))
    return back.length
  }
}
