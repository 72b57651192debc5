// A process that runs the platform embedded over a folder and answers what the recording process asks. It is killed.
//
//   fork(host-child.ts, [<workload>, <folder>, <partitions>])
import process from 'node:process'
import { embedded, isPlenumError } from 'plenum'
import type { Answered, WatchAsked } from 'plenum/testing'
import type { FromHost, SentError, ToHost } from './host-messages.ts'
import unit, { type Witness } from './unit.ts'
import { workloadNamed } from './workloads.ts'

const [name = '', folder = '', partitions = '4'] = process.argv.slice(2)
const workload = workloadNamed(name)

/** Whoever is gone hears nothing: what is left to say then is not missed. */
function tell(message: FromHost): void {
  process.send?.(message, () => undefined)
}

function sent(error: unknown): SentError {
  if (isPlenumError(error)) {
    const { code, message, retry, details } = error
    return { code, message, retry, details }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'INVARIANT_BROKEN', message, retry: 'never', details: {} }
}

// Without the process that records, nobody would end this one.
process.on('disconnect', () => process.exit(1))
try {
  const recorded = new Map<number, (run: number) => void>()
  const recordedBy = (tellOf: (id: number) => FromHost): Promise<number> =>
    new Promise((resolve) => {
      const id = (witnessed += 1)
      recorded.set(id, resolve)
      tell(tellOf(id))
    })
  let witnessed = 0
  const witness: Witness = {
    begin: (letter, group) => recordedBy((id) => ({ kind: 'begin', id, letter, group })),
    end: (run, how) => recordedBy((id) => ({ kind: 'end', id, run, how })).then(() => undefined),
  }
  const works = workload.works === true
  const options = { unit, folder, partitions: Number(partitions), ack: 'disk', workers: works } as const
  const client = await embedded({ ...options, uses: { witness } })
  const watches = new Map<number, AbortController>()
  const answer = (id: number, answering: Promise<Answered>): void => {
    answering.then(
      (answered) => tell({ kind: 'answer', id, answered }),
      (error: unknown) => tell({ kind: 'error', id, error: sent(error) }),
    )
  }
  const follow = async (id: number, asked: WatchAsked): Promise<Answered> => {
    const leaving = new AbortController()
    watches.set(id, leaving)
    await workload.follow!(client, asked, (lines) => tell({ kind: 'told', id, lines }), leaving.signal)
    return {}
  }
  process.on('message', (message: ToHost) => {
    switch (message.kind) {
      case 'ask':
        return answer(message.id, workload.perform(client, message.asked, message.manner))
      case 'follow':
        return answer(message.id, follow(message.id, message.asked))
      case 'leave':
        return watches.get(message.id)?.abort()
      case 'witnessed':
        recorded.get(message.id)?.(message.run)
        return void recorded.delete(message.id)
      case 'close':
        return void client[Symbol.asyncDispose]().then(() => process.exit(0))
    }
  })
  tell({ kind: 'ready' })
} catch (error) {
  tell({ kind: 'failed', error: sent(error) })
  process.disconnect()
}
