// Kept answers (SP12): what makes a repeated request get the first answer, also after a failover.
//
// Sessions, answers and keyed answers are rows of the platform's own tables and change inside the command whose answer
// they keep, so that effects and answer stand in one record.
import { assert, PlenumError, type Limits } from '../kernel/index.ts'
import { ByteWriter, writeValue } from '../codec/index.ts'
import { ownLayouts } from './layout.ts'
import type { Machine } from './machine.ts'
import type { Answer, Identity } from './requests.ts'
import type { Row } from './row.ts'
import type { Table } from './table.ts'

/** How many answered requests a session's row may lag behind before its answers are forgotten together. */
const forgetTogether = 32

export class Answers {
  readonly #machine: Machine
  readonly #limits: Limits
  readonly #sessions: Table
  readonly #answers: Table
  readonly #keyed: Table
  readonly #scratch = new ByteWriter(1024)

  constructor(machine: Machine, limits: Limits) {
    this.#machine = machine
    this.#limits = limits
    this.#sessions = machine.table(ownLayouts.session.name)
    this.#answers = machine.table(ownLayouts.answer.name)
    this.#keyed = machine.table(ownLayouts.keyed.name)
  }

  /** The row of the kept answer to this request, if it was answered before. SESSION_ENDED if it must never run. */
  find(identity: Identity): Row | undefined {
    if (identity.kind === 'keyed') return this.#keyed.find(identity)
    const session = this.#sessions.find(identity)
    if (session === undefined) throw ended(identity.session, 'it was not registered at this partition, or has ended')
    if (identity.number < Number(session.value['lowest'])) {
      throw ended(identity.session, `request ${identity.number} was answered and its answer is forgotten`)
    }
    const kept = this.#answers.find(identity)
    if (kept === undefined && identity.number - identity.lowest >= this.#limits.sessionRequestsMax) {
      throw new PlenumError(
        'LIMIT_EXCEEDED',
        `A session may have ${this.#limits.sessionRequestsMax} requests open at one partition.`,
        {
          details: { limit: 'sessionRequestsMax', value: this.#limits.sessionRequestsMax },
        },
      )
    }
    return kept
  }

  /** Keeps an answer, within the command at hand. VALUE_TOO_LARGE if it is over the limit. */
  keep(identity: Identity, answer: Answer): void {
    this.#checkSize(answer)
    if (identity.kind === 'keyed') return this.#keepKeyed(identity.key, answer)
    const { session, number, lowest } = identity
    assert(this.#answers.find(identity) === undefined, 'one answer is kept for a request')
    this.#machine.put(this.#answers, undefined, { session, number, answer })
    const row = this.#sessions.find(identity)
    if (row !== undefined) this.#forget(row, session, lowest)
  }

  /** Registers a session, or renews it. */
  register(session: string): void {
    const row = this.#sessions.find({ session })
    if (row === undefined && this.#sessions.size >= this.#limits.sessionsMax) {
      throw limitReached('sessionsMax', this.#limits.sessionsMax, 'sessions')
    }
    const lowest = row === undefined ? 1 : row.value['lowest']
    this.#machine.put(this.#sessions, row, { session, lowest }, { leaseMs: this.#limits.sessionLeaseMs })
  }

  /** Ends a session and forgets its answers. */
  end(session: string): void {
    const row = this.#sessions.find({ session })
    if (row === undefined) return
    this.#removeAnswers((value) => value === session)
    this.#machine.remove(this.#sessions, row, 'removed')
  }

  /** Forgets answers whose session's lease has ended, `countMax` at most; returns how many. */
  forgetEnded(countMax: number): number {
    return this.#removeAnswers((session) => this.#sessions.find({ session }) === undefined, countMax)
  }

  #keepKeyed(key: string, answer: Answer): void {
    assert(this.#keyed.find({ key }) === undefined, 'one answer is kept for a key')
    if (this.#keyed.size >= this.#limits.keyedAnswersMax) {
      throw limitReached('keyedAnswersMax', this.#limits.keyedAnswersMax, 'kept answers')
    }
    const expiresAt = this.#machine.time + this.#limits.keyedAnswerMs
    this.#machine.put(this.#keyed, undefined, { key, answer }, { expiresAt })
  }

  #forget(row: Row, session: string, lowest: number): void {
    const from = Number(row.value['lowest'])
    const lease = row.lease
    const halfOver = lease !== undefined && lease.expiresAt - this.#machine.time < lease.leaseMs / 2
    if (lowest - from < forgetTogether && !halfOver) return
    for (let number = from; number < lowest; number++) {
      const answer = this.#answers.find({ session, number })
      if (answer !== undefined) this.#machine.remove(this.#answers, answer, 'removed')
    }
    this.#machine.put(
      this.#sessions,
      row,
      { session, lowest: Math.max(from, lowest) },
      { leaseMs: this.#limits.sessionLeaseMs },
    )
  }

  #removeAnswers(of: (session: unknown) => boolean, countMax = Infinity): number {
    const gone = [...this.#answers.rows()].filter((row) => of(row.value['session'])).slice(0, countMax)
    for (const row of gone) this.#machine.remove(this.#answers, row, 'removed')
    return gone.length
  }

  #checkSize(answer: Answer): void {
    this.#scratch.at = 0
    writeValue(this.#scratch, answer)
    this.#scratch.since(0, this.#limits.answerBytesMax, 'The answer, which must be kept for a retry,')
  }
}

function ended(session: string, why: string): PlenumError {
  return new PlenumError('SESSION_ENDED', `Session ${session} cannot run this request: ${why}. Nothing happened.`, {
    details: { session },
  })
}

function limitReached(limit: string, value: number, what: string): PlenumError {
  return new PlenumError('LIMIT_EXCEEDED', `This partition holds ${value} ${what}, which is the limit ${limit}.`, {
    details: { limit, value },
  })
}
