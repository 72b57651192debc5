import { PlenumError } from 'plenum'
import { checkAckedSet, type Asked } from 'plenum/testing'
import { Member } from './unit.ts'
import { drawTurn, readManner, type Workload } from './workload.ts'

/** The most values of one history: checkers look at each of them in every reading. */
const valuesMax = 100

/** A set that grows, over all partitions; what was acked is found by every later read. */
export const set: Workload = {
  name: 'set',
  about: 'writes of unique values, read as a whole over all partitions; nothing acked is lost',
  draw: (random, size) => {
    const { operations } = size
    const writeShare = Math.min(0.8, valuesMax / operations)
    let written = 0
    const turns = Array.from({ length: operations }, () => {
      const isWrite = written < valuesMax && random.next() < writeShare
      const step: Asked = isWrite ? { f: 'write', value: written++ } : { f: 'read' }
      return drawTurn(random, size, step)
    })
    return { opening: [], turns, closing: [{ f: 'read' }] }
  },
  perform: async ({ space }, { f, value }, manner) => {
    if (f === 'read') {
      const members = await space.readAll(Member, {}, readManner(manner))
      return { value: members.map((member) => member.value) }
    }
    if (f !== 'write') throw new PlenumError('USAGE', `A set knows no '${f}'.`)
    await space.insert(Member, { value: Number(value) }, { timeout: manner.timeout })
    return { value }
  },
  check: (history) => {
    const result = checkAckedSet(history)
    if (!result.ok) return result
    const { values, acked, unknown, reads } = result
    return { ok: true, counts: { values, 'writes acked': acked, 'writes of unknown outcome': unknown, reads } }
  },
}
