import { PlenumError } from 'plenum'
import { checkFifoGroups, type Asked, type Random } from 'plenum/testing'
import { letterAttempts, Letter } from './unit.ts'
import { drawTurn, type Size, type Turn, type Workload } from './workload.ts'

/** Letters of several groups, which workers deliver; some fail, and some can never be delivered. */
export const fifoGroups: Workload = {
  name: 'fifo-groups',
  about: 'letters that are enqueued in groups and delivered by workers, one at a time of each group and in its order',
  works: true,
  draw: (random, size) => {
    const groups = Array.from({ length: 2 + random.integer(8) }, (_, number) => `g${number}`)
    const turns = Array.from({ length: size.operations }, (_, at) => turnOf(random, size, groups, at))
    return { opening: [], turns, closing: [] }
  },
  perform: async ({ space, workers }, { f, key = '', value }: Asked, { timeout }) => {
    switch (f) {
      case 'enqueue': {
        const id = Number(value)
        await space.insert(Letter, { id, group: key, state: 'new', fails: failsOf(id) }, { timeout })
        return { value }
      }
      case 'outcome': {
        const dead = await workers.deliver.deadLetters({ limit: 100_000 })
        const left = await space.readAll(Letter, { state: 'new' })
        if (left.length > dead.length)
          throw new PlenumError('OVERLOADED', `${left.length - dead.length} letters are not delivered yet.`)
        const done = await space.readAll(Letter, { state: 'done' })
        return { value: { done: done.map(named), dead: left.map(named) } }
      }
      default:
        throw new PlenumError('USAGE', `FIFO groups know no '${f}'.`)
    }
  },
  check: (history) => {
    const result = checkFifoGroups(history)
    if (!result.ok) return result
    const { enqueued, done, dead, works, failed, ordered } = result
    const counts = { letters: enqueued, done, dead, works, 'works that failed': failed, 'pairs in order': ordered }
    return { ok: true, counts }
  },
}

function turnOf(random: Random, size: Size, groups: readonly string[], value: number): Turn {
  return drawTurn(random, size, { f: 'enqueue', key: groups[random.integer(groups.length)]!, value })
}

/** One in ten fails once, one in fifty always. */
function failsOf(id: number): number {
  if (id % 50 === 7) return letterAttempts
  return id % 10 === 3 ? 1 : 0
}

function named({ id, group }: { readonly id: number; readonly group: string }) {
  return { id, group }
}
