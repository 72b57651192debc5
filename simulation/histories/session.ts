import {
  checkRegisters,
  checkSessions,
  entryChangeKinds,
  joinTries,
  type Asked,
  type DumpLine,
  type HistoryEvent,
} from 'plenum/testing'
import { performOnRegister, readsOf } from './registers.ts'
import { drawTurn, type Turn, type Verdict, type Workload } from './workload.ts'

/** Of how many of the last requests one is sent again. */
const recent = 8

/** Requests that are sent twice, by whoever; each has one effect and one answer. */
export const session: Workload = {
  name: 'session',
  needsJournal: true,
  about: 'writes, updates and inserts with a session and a number, many of them sent twice; exactly once',
  draw: (random, size) => {
    const { operations, clients } = size
    const keys = 2 + random.integer(5)
    const next = Array.from({ length: clients }, () => 1)
    const sent: Asked[] = []
    const turns = Array.from({ length: operations }, (_, at): Turn => {
      const kind = random.next()
      const key = `r${random.integer(keys)}`
      if (kind < 0.15) return drawTurn(random, size, { f: 'read', key })
      // Again, by the same client or another, while the first try is open or after it.
      if (kind < 0.5 && sent.length > 0) {
        return drawTurn(random, size, sent[Math.max(0, sent.length - 1 - random.integer(recent))]!)
      }
      const client = random.integer(clients)
      const identity = { session: `s${client + 1}`, request: next[client]!++ }
      // An insert has a key of its own: run twice it would find its own entry.
      const step: Asked =
        kind < 0.65
          ? { f: 'insert', key: `i${at}`, value: at + 1, ...identity }
          : { f: kind < 0.85 ? 'write' : 'update', key, value: at + 1, ...identity }
      sent.push(step)
      return { ...drawTurn(random, size, step), client }
    })
    return { opening: [], turns, closing: readsOf(turns.map(({ step }) => step)) }
  },
  perform: performOnRegister,
  check: checkHistory,
}

function checkHistory(history: readonly HistoryEvent[], dump: readonly DumpLine[] | undefined): Verdict {
  const sessions = checkSessions(history, dump)
  if (!sessions.ok) return sessions
  const different = dump === undefined ? undefined : differentEffect(history, dump)
  if (different !== undefined) return different
  const registers = checkRegisters(joinTries(history))
  if (!registers.ok) return registers
  const { requests, repeated, answered } = sessions
  const { keys, operations } = registers
  const counts = { registers: keys, operations, requests, 'sent again': repeated, 'in the journal': answered }
  return { ok: true, counts }
}

/** A request that was acked and has not exactly the one effect that its answer tells of. */
function differentEffect(history: readonly HistoryEvent[], dump: readonly DumpLine[]): Verdict | undefined {
  const changes = Map.groupBy(
    dump.filter(({ kind }) => entryChangeKinds.includes(kind)),
    (line) => identity(line),
  )
  for (const event of history) {
    if (event.type !== 'ok' || event.request === undefined) continue
    const effects = changes.get(identity(event)) ?? []
    const isTold = ({ key, version, value }: DumpLine): boolean =>
      key === event.key && valueIn(value) === event.value && (event.version ?? version) === version
    if (effects.length === 1 && effects.every(isTold)) continue
    const why = `Operation ${event.op} was acked with one effect; the journal holds ${effects.length} of its request, or another.`
    return { ok: false, decided: true, why, evidence: [event, ...effects] }
  }
  return undefined
}

function identity({ session: name, request }: Pick<DumpLine, 'session' | 'request'>): string {
  return `${name}/${request}`
}

function valueIn(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'value' in entry ? entry.value : undefined
}
