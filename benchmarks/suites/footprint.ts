import type { Row, Suite } from '../harness/suite.ts'
import { startBank } from './subjects.ts'

/** What an entry takes in memory. */
export const footprint: Suite = {
  name: 'footprint',
  measures:
    'Bytes of memory for each entry of three integer fields: heap and buffers in use after a full collection, with the ' +
    'entries less without, divided by their number.',
  leavesOut: 'memory that the collector needs beside what is in use, and indexes.',
  async run(bench) {
    const rows: Row[] = []
    for (const accounts of bench.sized([10_000, 100_000, 1_000_000, 5_000_000], [1_000])) {
      bench.say(`${accounts} entries`)
      await using bank = await startBank(bench, { accounts, ack: 'memory', load: false }, ['--expose-gc'])
      const before = await bank.subject.usedBytes()
      await bank.subject.load()
      const value = ((await bank.subject.usedBytes()) - before) / accounts
      const work = `memory per entry, ${accounts.toLocaleString('en-US')} entries`
      rows.push({ subject: 'plenum', work, ack: '-', value, measure: 'B', samples: [value] })
    }
    return { rows, targets: [] }
  },
}
