import { isPlenumError, PlenumError } from 'plenum'
import { checkAckedSet, requireOk, type HistoryRecorder } from 'plenum/testing'
import { Line } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage, type Turn } from './scenario.ts'

/** A client loads the source, gives up after a while or not, or looks at what is loaded. */
type SourceStep = { readonly f: 'load'; readonly abortAfterMs: number | undefined } | { readonly f: 'read' }

/** How often a load is tried after the faults have ended; each partition may meet a failing store every time. */
const triesMax = 1_000

/** Loads that are cut short by failing stores, by callers that give up and by lost members, and begun again. */
export const sources: Scenario = scenario<SourceStep>({
  name: 'sources',
  about: 'a source that is loaded by several clients, interrupted and resumed; complete once, then never asked again',
  isRead: ({ f }) => f === 'read',
  draw: (random, count) =>
    Array.from({ length: count }, (): SourceStep => {
      if (random.next() > 0.1) return { f: 'read' }
      return { f: 'load', abortAfterMs: random.next() < 0.5 ? random.integer(200) : undefined }
    }),
  play: async (stage, turns) => {
    const load = loadAsWrites(
      stage.recorder,
      stage.lines.lines.map(({ id }) => id),
    )
    let interrupted = 0
    await takeTurns(stage, turns, async (turn, seat) => {
      if (turn.step.f === 'read') return read(turn, seat)
      if (await loaded(stage, turn.step.abortAfterMs, seat)) load.complete()
      else interrupted += 1
    })
    await stage.world.settle()
    for (let tries = 0; !(await loaded(stage, undefined, stage.seats[0]!)); tries++) {
      if (tries === triesMax) throw new PlenumError('CHECK_FAILED', 'sources: the load is never complete.')
      interrupted += 1
    }
    load.complete()
    const { queries } = stage.lines
    for (const seat of stage.seats) {
      await read({ client: 0, pauseMs: 0, timeout: undefined, step: { f: 'read' } }, seat)
      await seat.unit.sources.lines.load()
    }
    if (stage.lines.queries !== queries) {
      throw new PlenumError('CHECK_FAILED', 'sources: the store was asked again after all partitions were loaded.')
    }
    await compareLines(stage)
    const { values, reads } = requireOk('sources', checkAckedSet(stage.recorder.events))
    return { lines: values, 'reads of lines': reads, 'loads interrupted': interrupted, queries }
  },
})

/** Each line as a write of unknown outcome that is acked when a load is complete: what a source promises, as a set. */
function loadAsWrites(recorder: HistoryRecorder, ids: readonly number[]): { readonly complete: () => void } {
  const writes = ids.map((value) => {
    const process = recorder.nextProcess()
    const asked = { f: 'write', value }
    return { process, asked, op: recorder.invoke(process, asked) }
  })
  let open = true
  return {
    complete: () => {
      if (open)
        for (const { process, op, asked } of writes) recorder.complete(process, op, 'ok', asked, { value: asked.value })
      open = false
    },
  }
}

/** True if the load was complete; false if the store, the grid or the caller cut it short. */
async function loaded({ world }: Stage, abortAfterMs: number | undefined, { unit }: Seat): Promise<boolean> {
  const abort = new AbortController()
  if (abortAfterMs !== undefined) void world.sleep(`${abortAfterMs}ms`).then(() => abort.abort())
  try {
    await unit.sources.lines.load({ signal: abort.signal })
    return true
  } catch (error) {
    if (!isPlenumError(error) && !abort.signal.aborted) throw error
    return false
  }
}

async function read({ timeout }: Turn<SourceStep>, { unit, recorded }: Seat): Promise<void> {
  try {
    await recorded.run({ f: 'read' }, async () => (await unit.space.readAll(Line, {}, { timeout })).map(({ id }) => id))
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}

async function compareLines({ seats, lines }: Stage): Promise<void> {
  const found = await seats[0]!.unit.space.readAll(Line, {}, { orderBy: { id: 'asc' } })
  if (JSON.stringify(found) === JSON.stringify(lines.lines)) return
  throw new PlenumError('CHECK_FAILED', 'sources: what was loaded is not what the store holds.')
}
