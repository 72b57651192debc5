import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { startBank } from './subjects.ts'

const kinds = ['insert', 'write', 'patch'] as const

/** Single writes through the client at each level. */
export const writes: Suite = {
  name: 'writes',
  measures: 'Insert, write (over an entry that is there) and patch of one entry through the client, at each ack level.',
  leavesOut: 'batches, leases, conditions, writes over a network.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const accounts = bench.sized(100_000, 1_000)
    const rows: Row[] = []
    for (const ack of ['memory', 'os', 'disk'] as const) {
      await using bank = await startBank(bench, { accounts, ack })
      for (const inFlight of bench.sized([1, 64, 1_024], [64])) {
        bench.say(`${ack}, ${inFlight} in flight`)
        const contenders = kinds.map((kind): Contender => ({
          row: { subject: 'plenum', work: kind, ack, inFlight },
          measure: () => bank.subject.changes(kind, inFlight, seconds),
        }))
        rows.push(...(await inTurn(rounds, contenders)))
      }
    }
    return { rows, targets: [] }
  },
}
