import { median, type Latency } from '../harness/latency.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atMost } from '../harness/targets.ts'
import { startBank } from './subjects.ts'

/** Times as long as one measurement of a closed loop, so that the rare ones show. */
const longer = 10
const judgedRate = 50_000

/** Latency at a fixed rate, from the time at which a call was meant to be sent. */
export const paced: Suite = {
  name: 'paced',
  measures:
    'Durable transfers sent at a fixed rate, whether or not earlier ones were answered, counted from the time at which ' +
    'each was to be sent (open loop), beside a control of the same pacing without work. The figure is the p99.9.',
  leavesOut:
    'callers on other threads: pacing and partition share one loop, which never sleeps. A p99.99 needs a million samples: ' +
    'see how many there were.',
  async run(bench) {
    const { rounds, small } = bench.options
    const seconds = bench.options.seconds * longer
    await using bank = await startBank(bench, { accounts: bench.sized(100_000, 1_000), ack: 'disk' })
    await using control = await startBank(bench, { accounts: 1_000, ack: 'memory' })
    const rows: Row[] = []
    for (const perSecond of bench.sized([1_000, 10_000, judgedRate], [1_000])) {
      bench.say(`${perSecond} a second`)
      const found: Record<'control' | 'plenum', Latency[]> = { control: [], plenum: [] }
      for (let round = 0; round < rounds; round++) {
        found.control.push((await control.subject.paced(perSecond, seconds, false)).latency)
        found.plenum.push((await bank.subject.paced(perSecond, seconds, true)).latency)
      }
      const work = `${perSecond.toLocaleString('en-US')} a second, ${found.plenum[0]?.count.toLocaleString('en-US')} samples`
      rows.push(row('control', work, '-', found.control), row('plenum', work, 'disk', found.plenum))
    }
    const p999 = (subject: string): number => rows.findLast((one) => one.subject === subject)?.value ?? Infinity
    const beyond = p999('plenum') - p999('control')
    return { rows, targets: small ? [] : [atMost('p99.9 at 50,000 a second, beyond the control', beyond, 6, 'ms')] }
  },
}

function row(subject: string, work: string, ack: Row['ack'], latencies: readonly Latency[]): Row {
  const samples = latencies.map(({ p999 }) => p999)
  const value = median(samples)
  return { subject, work, ack, value, measure: 'ms', samples, latency: latencies[samples.indexOf(value)] }
}
