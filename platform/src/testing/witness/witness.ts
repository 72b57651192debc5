// The journal is the witness: the naive twin follows the accepted records of a partition, and every answer that was
// given must be the one that the twin gives in some state between question and answer.
//
// I1 The states are those between commands: the effects of one command are never seen by halves.
// I2 Answers keep real time: whoever asked after an answer had come is answered from that answer's state or a later one.
// I3 A request with an identity is judged in the one state before its own effects; its answer is the one that was kept,
//    and its effects are the twin's.
// I4 No answer stands on a record that was not accepted yet when it came (A3).
import type { UnitParts } from '../../unit/index.ts'
import { isRead, type Answer } from '../../space/index.ts'
import { canonicalText } from '../checkers/canonical.ts'
import { violation, type CheckResult, type Violation } from '../checkers/check-result.ts'
import { expectedAnswer, type Expected } from './expected-answer.ts'
import { forgottenBy, type JournaledCommand, type JournaledRecord, type JournalHistory } from './journal-history.ts'
import { madeAsExpected } from './made-effects.ts'
import { NaiveSpace } from './naive-space.ts'
import { isJudged, OpenReplies, type OpenReply } from './open-replies.ts'
import type { WitnessedReply } from './reply-recorder.ts'
import { isTelling } from './telling.ts'

/** Options of `checkReplies`. */
export interface WitnessOptions {
  /** The unit: its rules for values, and its handlers, which the twin runs a second time. */
  readonly unit?: UnitParts | undefined
  /** The unit that came after it, from its UPGRADE record on. */
  readonly later?: UnitParts | undefined
}

/** How much was checked. */
export interface WitnessCounts {
  readonly records: number
  /** Replies that were found right, and those that say nothing about the state: lost, refused by a limit, not primary. */
  readonly judged: number
  readonly passed: number
  /** Replies whose content depends on what only their primary knew; their kept answers were compared all the same. */
  readonly untold: number
}

/** Evidence: the reply, or the journaled command. */
export type WitnessEvidence = WitnessedReply | (JournaledCommand & { readonly index: number })

type Complaint = Violation<WitnessEvidence>

/** Checks every reply of a run against the histories of its partitions. */
export function checkReplies(
  histories: readonly Pick<JournalHistory, 'partition' | 'records'>[],
  replies: readonly WitnessedReply[],
  options: WitnessOptions = {},
): CheckResult<WitnessCounts, WitnessEvidence> {
  const counts = { records: 0, judged: 0, passed: 0, untold: 0 }
  for (const { partition, records } of histories) {
    const own = replies.filter((reply) => reply.partition === partition)
    const witness = new Witness(partition, records, own, options)
    const complaint = witness.check()
    if (complaint !== undefined) return complaint
    counts.records += records.length
    counts.judged += witness.judged
    counts.untold += witness.untold
    counts.passed += own.filter((reply) => !isJudged(reply)).length
  }
  return { ok: true, ...counts }
}

/** Follows the records of one partition and judges its replies on the way. */
class Witness {
  readonly #partition: number
  readonly #records: readonly JournaledRecord[]
  readonly #later: UnitParts | undefined
  #unit: UnitParts | undefined
  readonly #open: OpenReplies
  readonly #space = new NaiveSpace()
  /** Keys whose answers were forgotten: what is asked under them from then on is another request. */
  readonly #forgotten = new Set<string>()
  judged = 0
  untold = 0

  constructor(
    partition: number,
    records: readonly JournaledRecord[],
    replies: readonly WitnessedReply[],
    { unit, later }: WitnessOptions,
  ) {
    this.#partition = partition
    this.#records = records
    this.#unit = unit
    this.#later = later
    this.#open = new OpenReplies(replies)
  }

  check(): Complaint | undefined {
    const seen = this.#appliedTwice() ?? this.#neverApplied()
    if (seen !== undefined) return seen
    let before: JournaledRecord | undefined
    for (const record of this.#records) {
      const complaint = this.#begin(record, before) ?? this.#follow(record)
      if (complaint !== undefined) return complaint
      before = record
    }
    this.#judgeOpen({ low: before?.index ?? 0, high: Infinity }, [], this.#space.time)
    return this.#unanswered()
  }

  /** What the record's header says must follow from the record before (A5, TI1). */
  #begin(record: JournaledRecord, before: JournaledRecord | undefined): Complaint | undefined {
    const { index, time, epoch, kind } = record
    if (before !== undefined && index !== before.index + 1) {
      return this.#complain(`record ${index} follows record ${before.index}`, [])
    }
    if (time < this.#space.time) return this.#complain(`time goes back at record ${index}`, [])
    if (epoch !== (before?.epoch ?? epoch) + (kind === 'OPEN' && before !== undefined ? 1 : 0)) {
      return this.#complain(`record ${index} has epoch ${epoch}, which does not follow`, [])
    }
    if (record.commands.length > 0) return undefined
    this.#judgeOpen({ low: before?.index ?? 0, high: index - 1 }, [], time)
    this.#space.time = time
    if (kind === 'OPEN') this.#space.renewLeases()
    if (record.layouts === undefined) return undefined
    if (record.unit === this.#later?.hash) this.#unit = this.#later
    this.#space.declare(record.layouts, this.#unit?.upgrades)
    return undefined
  }

  #follow(record: JournaledRecord): Complaint | undefined {
    const { index, commands, time } = record
    for (const [at, command] of commands.entries()) {
      const states = at === 0 ? { low: index - 1, high: index - 1 } : { low: index, high: index }
      this.#judgeOpen(states, commands.slice(at), time)
      const complaint = this.#judgeNamed(record, command)
      if (complaint !== undefined) return complaint
      for (const effect of command.effects) {
        const wrong = this.#space.apply(effect, time)
        if (wrong === undefined) continue
        return this.#complain(`record ${index} has an effect that cannot be: ${wrong}`, [{ ...command, index }])
      }
      this.#open.passed()
    }
    // Until here the twin has the time of the record before: a command's time lies between the two.
    this.#space.time = time
    return undefined
  }

  /** Judges the requests whose effects come next, if they have an identity. */
  #judgeNamed({ index, time }: JournaledRecord, command: JournaledCommand): Complaint | undefined {
    if (command.kind === 'own') for (const name of forgottenBy(command)) this.#forgotten.add(name)
    if (command.kind !== 'request' || this.#forgotten.has(command.name)) return undefined
    const replies = this.#open.named(command.name)
    const sample = replies[0]
    if (sample === undefined) return undefined
    const evidence = [{ ...command, index }, ...replies.map(({ reply }) => reply)]
    const overdue = this.#open.overdue(command.name)
    if (overdue !== undefined) {
      return this.#complain(
        `${unexplained(overdue)}, and it had come before ${command.name} was sent, which took effect at ${index}`,
        [overdue.reply, ...evidence],
      )
    }
    const expected = expectedAnswer(this.#space, sample.reply.request.command, command.answer, this.#unit)
    const told = isTelling(command.answer) ? expected.fits(command.answer) : undefined
    if (told === false) {
      return this.#complain(
        `${command.name} was answered ${textOf(command.answer)} at ${index}; the twin answers ${expected.text}`,
        evidence,
      )
    }
    const changes = command.answer.ok ? expected.changes : []
    if (!madeAsExpected(command.effects.slice(0, -1), changes, this.#space, time)) {
      const made = canonicalText(command.effects.slice(0, -1))
      return this.#complain(
        `${command.name} made other effects at ${index} than the twin: ${made}, the twin ${canonicalText(changes)}`,
        evidence,
      )
    }
    for (const { reply } of replies) {
      const why = isJudged(reply) ? contradiction(reply, command.answer, index) : undefined
      if (why !== undefined) return this.#complain(`${command.name} ${why}`, evidence)
    }
    this.#count(replies, told === undefined)
    this.#open.close(replies)
    return undefined
  }

  /** Judges all other replies that may come from the present state; `next` are the commands that follow in its record. */
  #judgeOpen(
    states: { readonly low: number; readonly high: number },
    next: readonly JournaledCommand[],
    time: number,
  ): void {
    for (let found = true; found;) {
      found = false
      for (const open of this.#open.unnamed(states)) {
        const { request, answer } = open.reply
        const { command } = request
        const expected = expectedAnswer(this.#space, command, answer, this.#unit)
        const fits = answer === undefined ? false : expected.fits(answer)
        open.note(expected.text)
        if (fits === false) continue
        const made = isRead(command) ? 0 : this.#claim(expected, next, time)
        if (made === undefined) continue
        found = true
        this.#count([open], fits === undefined)
        this.#open.closeAfter(open, made)
      }
    }
  }

  /** How many of the following commands are the expected changes; undefined if they are not. */
  #claim({ changes }: Expected, next: readonly JournaledCommand[], time: number): number | undefined {
    if (changes === undefined || changes.length === 0) return 0
    const own = next.slice(0, changes.length)
    if (own.some(({ kind }) => kind !== 'unnamed') || this.#open.isClaimed) return undefined
    const effects = own.flatMap((command) => command.effects)
    return madeAsExpected(effects, changes, this.#space, time) ? changes.length : undefined
  }

  #count(replies: readonly OpenReply[], isUntold: boolean): void {
    const judged = replies.filter(({ reply }) => isJudged(reply)).length
    this.judged += judged
    if (isUntold) this.untold += judged
  }

  /** A key of the caller's own may be used anew once its answer is forgotten; nothing else may take effect again. */
  #appliedTwice(): Complaint | undefined {
    const seen = new Map<string, number>()
    for (const { index, commands } of this.#records) {
      for (const command of commands) {
        if (command.kind === 'own') for (const name of forgottenBy(command)) seen.delete(name)
        if (command.kind !== 'request') continue
        const before = seen.get(command.name)
        if (before !== undefined) {
          return this.#complain(`${command.name} took effect at ${before} and again at ${index}`, [
            { ...command, index },
          ])
        }
        seen.set(command.name, index)
      }
    }
    return undefined
  }

  #neverApplied(): Complaint | undefined {
    const journaled = new Set(
      this.#records.flatMap(({ commands }) => commands.flatMap((one) => (one.kind === 'request' ? one.name : []))),
    )
    const lost = this.#open.left().find(({ name }) => name !== undefined && !journaled.has(name))
    if (lost === undefined) return undefined
    const { request, answer } = lost.reply
    return this.#complain(
      `${lost.name} was answered ${textOf(answer)}, and the journal does not hold it: ${canonicalText(request.command)}`,
      [lost.reply],
    )
  }

  /** A complaint about the first reply that no state explains. */
  #unanswered(): Complaint | undefined {
    const [first] = this.#open.left()
    if (first === undefined) return undefined
    return this.#complain(unexplained(first), [first.reply])
  }

  #complain(why: string, evidence: readonly WitnessEvidence[]): Complaint {
    return violation(`Partition ${this.#partition}: ${why}.`, evidence)
  }
}

/** What is wrong with an answer to a request whose kept answer stands at `index`. */
function contradiction(reply: WitnessedReply, kept: Answer, index: number): string | undefined {
  if (textOf(reply.answer) !== textOf(kept)) {
    return `was answered ${textOf(reply.answer)}, the journal keeps ${textOf(kept)}`
  }
  if (reply.to >= index) return undefined
  return `was answered while index ${reply.to} was the last accepted, and stands at ${index}`
}

function unexplained({ reply, seen }: OpenReply): string {
  const tried = seen.length === 0 ? '' : `; the twin's were ${seen.join(' | ')}`
  return `no state explains the answer ${textOf(reply.answer)} to ${canonicalText(reply.request.command)}${tried}`
}

function textOf(answer: WitnessedReply['answer']): string {
  if (answer === undefined) return 'nothing'
  return answer.ok ? canonicalText(answer.value) : answer.error.code
}
