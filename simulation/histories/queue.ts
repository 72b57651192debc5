import { PlenumError, type Duration } from 'plenum'
import { checkQueue, type Asked, type Random } from 'plenum/testing'
import { Job } from './unit.ts'
import { drawTurn, type Size, type Turn, type Workload } from './workload.ts'

/** Queues that are filled and emptied; each is a FIFO group of its own. */
export const queue: Workload = {
  name: 'queue',
  about: 'jobs that are enqueued and taken, with and without waiting; each is taken once, in the order of its queue',
  draw: (random, size) => {
    const queues = Array.from({ length: 1 + random.integer(4) }, (_, number) => `q${number}`)
    const turns = Array.from({ length: size.operations }, (_, at) => turnOf(random, size, queues, at))
    return { opening: [], turns, closing: queues.map((key) => ({ f: 'drain', key })) }
  },
  perform: async ({ space }, { f, key = '', value }: Asked, { timeout, wait }) => {
    switch (f) {
      case 'enqueue':
        await space.insert(Job, { id: Number(value), queue: key }, { timeout })
        return { value }
      case 'take':
        return { value: (await space.take(Job, { queue: key }, { timeout, wait }))?.id ?? null }
      case 'drain':
        return { value: (await space.takeAll(Job, { queue: key }, { timeout })).map(({ id }) => id) }
      default:
        throw new PlenumError('USAGE', `A queue knows no '${f}'.`)
    }
  },
  check: (history) => {
    const result = checkQueue(history)
    if (!result.ok) return result
    const { values, taken, empty, unknown, missing, ordered } = result
    const takes = { 'takes of nothing': empty, 'takes of unknown outcome': unknown }
    return { ok: true, counts: { jobs: values, taken, ...takes, missing, 'pairs in order': ordered } }
  },
}

/** As many takes as jobs, so that queues are short and often empty; every other take waits. */
function turnOf(random: Random, size: Size, queues: readonly string[], value: number): Turn {
  const key = queues[random.integer(queues.length)]!
  if (random.next() < 0.5) return drawTurn(random, size, { f: 'enqueue', key, value })
  const wait: Duration | undefined = random.next() < 0.5 ? undefined : `${1 + random.integer(300)}ms`
  return { ...drawTurn(random, size, { f: 'take', key }), wait }
}
