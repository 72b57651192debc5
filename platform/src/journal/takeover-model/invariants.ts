import type { Model } from './model.ts'
import type { HeadId, Records, RecordId } from './records.ts'
import type { ModelState } from './states.ts'

/** A void record that proves a loss or a fork; where nothing is lost it never happens. */
export const proof = 'a void record proves that something is missing'

/** The heads of the fold after each position of the stream, and the records that it accepted, in order. */
interface Folded {
  readonly heads: readonly HeadId[]
  readonly accepted: readonly RecordId[]
  readonly corrupt: boolean
}

/** Judges a state by JR2-JR4; the name of what is broken, or undefined. */
export function brokenInvariant(
  records: Records,
  state: ModelState,
  meet: (situation: string) => void,
): string | undefined {
  const folded = foldOf(records, state.stream, meet)
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

function foldOf(records: Records, stream: readonly RecordId[], meet: (situation: string) => void): Folded {
  const heads: HeadId[] = [0]
  const accepted: RecordId[] = []
  let corrupt = false
  for (const [i, record] of stream.entries()) {
    const before = heads[i]!
    const judged = records.judge(before, record, i + 1)
    heads.push(judged.head)
    if (judged.kind === 'accepted') accepted.push(record)
    else if (judged.kind === 'corrupt') corrupt = true
    else meetVoid(records, before, record, i + 1, meet)
  }
  return { heads, accepted, corrupt }
}

function meetVoid(
  records: Records,
  before: HeadId,
  record: RecordId,
  position: number,
  meet: (situation: string) => void,
): void {
  const { epoch, op, position: aim } = records.record(record)
  const head = records.head(before)
  if (aim !== position) meet('a record stands elsewhere than it aimed at')
  else if (op === 0) meet('an OPEN stands where it aimed at, and is void')
  else if (epoch < head.epoch) meet('a record of a deposed writer stands where it aimed at, and is void')
  else if (epoch === head.epoch) meet('a record of a broken window stands where it aimed at, and is void')
  if (records.isProof(before, record, position)) meet(proof)
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
  let alarm = state.writers.some(({ role }) => role === 'forked')
  const { accepted, corrupt } = foldOf(model.records, state.stream, (situation) => {
    alarm ||= situation === proof && model.variant !== 'every sound record may be void'
  })
  if (corrupt || alarm) {
    meet('the alarm is given')
    return undefined
  }
  if (state.promised.some((record) => !accepted.includes(record))) {
    return 'an acked record is not history and nobody has noticed'
  }
  if (start.promised.some((record) => !foldOf(model.records, start.stream, () => {}).accepted.includes(record))) {
    meet('acked records that were lost are there again')
  }
  return stuckWriter(model, state)
}

function settle(model: Model, start: ModelState, moreOps: number): ModelState {
  let state: ModelState = { ...start, counted: 0 }
  for (let round = 0; round < 15 + moreOps; round++) {
    for (let i = 0; i < state.writers.length; i++) {
      if (round >= 9 && round < 9 + moreOps) state = model.writers.seal(state, i, state.writers[i]!.acked + 1)
      state = settleOne(model, state, i)
    }
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
