// What the naive twin says about the commands of transactions (TX1-TX4).
import type { Answer, Drafted, Seen, TransactionCommand } from '../../space/index.ts'
import type { DataCommand, Expected } from './expected-answer.ts'
import type { NaiveRun } from './naive-run.ts'

/** What a data command must answer and change. */
type DataAnswer = (run: NaiveRun, command: DataCommand, given: Answer | undefined) => Expected

/** What a command of a transaction must answer and change in the state of `run`. */
export function expectedOfTransaction(
  run: NaiveRun,
  command: TransactionCommand,
  given: Answer | undefined,
  dataAnswer: DataAnswer,
): Expected {
  switch (command.kind) {
    case 'draft':
      return drafted(run, command, given, dataAnswer)
    case 'validate':
      return seen(run, command.seen)
    case 'prepare':
      return seen(run, command.part.seen)
    case 'commit': {
      const expected = seen(run, command.part.seen)
      const isKnown = allMade(run, command.part.commands, dataAnswer)
      return { ...expected, changes: isKnown ? run.changes : undefined }
    }
    case 'outcome':
      return { fits: () => undefined, text: 'what became of it', changes: undefined }
    case 'informed':
    case 'inquire':
      return { fits: () => undefined, text: 'whatever the partitions know', changes: [] }
  }
}

/** Whoever was told that all is as it was seen has seen the present entries; of queries the twin cannot tell. */
function seen(run: NaiveRun, { entries, queries }: Seen): Expected {
  const isPresent = entries.every(
    ({ type, key, stamp }) => (run.space.find(run.table(type), key)?.stamp ?? 0) === stamp,
  )
  const fits = (answer: Answer): boolean | undefined => {
    if (!answer.ok) return undefined
    return isPresent && queries.length > 0 ? undefined : isPresent
  }
  return { fits, text: isPresent ? 'all as it was seen' : 'not as it was seen', changes: [] }
}

/** A draft answers as the command does after the changes before it, and leaves no trace. */
function drafted(
  run: NaiveRun,
  { before, command }: Extract<TransactionCommand, { kind: 'draft' }>,
  given: Answer | undefined,
  dataAnswer: DataAnswer,
): Expected {
  if (!allMade(run, before, dataAnswer))
    return { fits: () => undefined, text: 'whatever was taken before', changes: [] }
  const inner = answerIn(given)
  const expected = dataAnswer(run, command, inner)
  const isWritten = ['write', 'update', 'patch', 'change'].includes(command.kind)
  const fits = (answer: Answer): boolean | undefined => {
    const own = answerIn(answer)
    // What is written has no stamp yet; that it was written is all that can be said.
    if (own === undefined || (isWritten && own.ok)) return undefined
    return expected.fits(own)
  }
  return { fits, text: expected.text, changes: [] }
}

function answerIn(given: Answer | undefined): Answer | undefined {
  return given?.ok === true ? (given.value as Drafted).answer : undefined
}

/** Makes changes that follow from the state alone; false where one of them is a choice. */
function allMade(run: NaiveRun, commands: readonly DataCommand[], dataAnswer: DataAnswer): boolean {
  for (const command of commands) {
    const { changes } = dataAnswer(run, command, undefined)
    if (changes === undefined) return false
  }
  return true
}
