import type { Model } from './model.ts'
import type { Records, RecordId } from './records.ts'
import type { ModelState } from './states.ts'

/** Judges a state by JR2-JR4; the name of what is broken, or undefined. */
export function brokenInvariant(
  model: Model,
  state: ModelState,
  meet: (situation: string) => void,
): string | undefined {
  const { records } = model
  const folded = model.folds.of(state.stream)
  for (const situation of folded.situations) meet(situation)
  if (folded.corrupt) return 'a reader finds the journal corrupt'
  for (const writer of state.writers) {
    if (writer.role === 'forked') return 'a primary finds a record of its reign that it does not hold'
    const { next } = records.head(writer.head)
    if (folded.heads[next - 1] !== writer.head) return 'a writer believes in a record that is not history'
    if (writer.believed.some((record) => !folded.accepted.includes(record))) {
      return 'a writer believes in a record that is not history'
    }
  }
  return brokenHistory(records, folded.accepted)
}

/** At most one OPEN an epoch, batches of its writer only, each once, in order and without a gap. */
function brokenHistory(records: Records, accepted: readonly RecordId[]): string | undefined {
  let epoch = 0
  let writer = -1
  let op = 0
  for (const id of accepted) {
    const record = records.record(id)
    if (record.op === 0) {
      if (record.epoch !== epoch + 1) return 'two OPENs of an epoch are history'
      epoch = record.epoch
      writer = record.writer
      op = 0
      continue
    }
    if (record.epoch !== epoch || record.writer !== writer) return "a deposed writer's record is history"
    if (record.op <= op) return 'a batch is history twice'
    if (record.op !== op + 1) return 'a batch is history before the one that it follows'
    op = record.op
  }
  return undefined
}

/**
 * Lets everything go well from here: an election, packets in order, no outcome unclear for long. Then each writer that
 * had begun must come to an end, with all its batches acked or fenced.
 */
export function stuckWriter(model: Model, start: ModelState): string | undefined {
  const state = settle(model, start, 0)
  const stuck = state.writers.some(
    ({ role, window, acked }, i) => window.length > 0 || (role === 'primary' && acked < model.bounds.writers[i]!.ops),
  )
  return stuck ? 'a writer never comes to an end although nothing goes wrong any more' : undefined
}

/**
 * The same where records can be lost (JR5): when everything went well for a while, and each primary has written a little
 * more, every batch that was believed acked is history, or somebody has given the alarm.
 */
export function silentLoss(model: Model, start: ModelState, meet: (situation: string) => void): string | undefined {
  const state = settle(model, start, 3)
  const { accepted, corrupt } = model.folds.of(state.stream)
  if (corrupt || state.writers.some(({ role }) => role === 'forked')) {
    meet('the alarm is given')
    return undefined
  }
  if (state.promised.some((record) => !accepted.includes(record))) {
    return 'an acked record is not history and nobody has noticed'
  }
  if (start.promised.some((record) => !model.folds.of(start.stream).accepted.includes(record))) {
    meet('acked records that were lost are there again')
  }
  return stuckWriter(model, state)
}

/** Rounds in which every writer moves; the last ones too come to rest well before the bound, or somebody is stuck. */
const settleRoundsMax = 9

function settle(model: Model, start: ModelState, moreOps: number): ModelState {
  let state = settleRounds(model, { ...start, counted: 0 })
  for (let more = 0; more < moreOps; more++) {
    for (let i = 0; i < state.writers.length; i++) {
      state = settleOne(model, model.writers.seal(state, i, state.writers[i]!.acked + 1), i)
    }
  }
  return moreOps === 0 ? state : settleRounds(model, state)
}

function settleRounds(model: Model, start: ModelState): ModelState {
  let state = start
  for (let round = 0; round < settleRoundsMax; round++) {
    if (state.writers.every(({ window }) => window.length === 0)) break
    for (let i = 0; i < state.writers.length; i++) state = settleOne(model, state, i)
  }
  return state
}

function settleOne(model: Model, start: ModelState, i: number): ModelState {
  let state = start
  for (const record of state.writers[i]!.window) if (model.fits(state, record)) state = model.store(state, record)
  for (let acked = model.writers.ack(state, i); acked !== undefined; acked = model.writers.ack(state, i)) state = acked
  if (state.writers[i]!.window.length === 0) return state
  const again = model.writers.lostRecord(state, i)
  state = model.writers.resolve(state, i)
  return again !== undefined && model.fits(state, again) ? model.store(state, again) : state
}
