import { uniform } from '../harness/draws.ts'
import { inTurn } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { startBank } from './subjects.ts'

const inFlight = 1_024

/** How the cost of a transfer grows with entries and with partitions. */
export const growth: Suite = {
  name: 'growth',
  measures:
    'Transfers with 1,024 in flight: at memory over more and more accounts, and at disk over more and more partitions.',
  leavesOut: 'partitions on several cores: all of them share one thread.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const rows: Row[] = []
    for (const accounts of bench.sized([10_000, 100_000, 1_000_000, 5_000_000], [1_000])) {
      bench.say(`${accounts} accounts`)
      await using bank = await startBank(bench, { accounts, ack: 'memory' })
      const work = `transfer, ${accounts.toLocaleString('en-US')} accounts, 1 partition`
      const row = { subject: 'plenum', work, ack: 'memory', inFlight, hash: await bank.subject.proof() } as const
      rows.push(...(await inTurn(rounds, [{ row, measure: () => bank.subject.transfers(uniform, inFlight, seconds) }])))
    }
    for (const partitions of bench.sized([1, 4, 16, 64], [4])) {
      bench.say(`${partitions} partitions`)
      const accounts = bench.sized(100_000, 1_000)
      await using bank = await startBank(bench, { accounts, ack: 'disk', partitions })
      const work = `transfer, ${accounts.toLocaleString('en-US')} accounts, ${partitions} partition${partitions === 1 ? '' : 's'}`
      const row = { subject: 'plenum', work, ack: 'disk', inFlight, hash: await bank.subject.proof() } as const
      rows.push(...(await inTurn(rounds, [{ row, measure: () => bank.subject.transfers(uniform, inFlight, seconds) }])))
    }
    return { rows, targets: [] }
  },
}
