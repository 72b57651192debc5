import { median } from '../harness/latency.ts'
import type { Row, Suite } from '../harness/suite.ts'
import type { MixedRun } from '../subjects/snapshot-bank.ts'

const perSecond = 50_000

/** What readers notice of a snapshot. */
export const snapshots: Suite = {
  name: 'snapshots',
  measures:
    'Reads and durable transfers in turn at 50,000 operations a second over one million entries, without and with a ' +
    'snapshot being taken: the longest time between two answered reads that followed each other.',
  leavesOut: 'snapshots of several partitions at once.',
  async run(bench) {
    const { rounds } = bench.options
    const accounts = bench.sized(1_000_000, 1_000)
    bench.say(`loading ${accounts} accounts`)
    await using bank = await bench.start('snapshot-bank', { accounts, folder: await bench.folder(), load: 'batches' })
    const rate = bench.sized(perSecond, 2_000)
    const seconds = bench.options.seconds * 4
    const found: Record<'without' | 'with', MixedRun[]> = { without: [], with: [] }
    await bank.subject.mixed(rate, seconds / 4, false)
    for (let round = 0; round < rounds; round++) {
      bench.say(`round ${round + 1}`)
      found.without.push(await bank.subject.mixed(rate, seconds, false))
      found.with.push(await bank.subject.mixed(rate, seconds, true))
    }
    const taken = found.with.map(({ snapshotMs }) => snapshotMs ?? 0)
    return {
      rows: [
        gapRow('control', 'longest gap between reads, no snapshot', found.without),
        gapRow('plenum', 'longest gap between reads, during a snapshot', found.with),
        {
          subject: 'plenum',
          work: 'time that the snapshot took',
          ack: 'disk',
          value: median(taken),
          measure: 'ms',
          samples: taken,
        },
      ],
      targets: [],
    }
  },
}

function gapRow(subject: string, work: string, runs: readonly MixedRun[]): Row {
  const samples = runs.map(({ longestGapMs }) => longestGapMs)
  const value = median(samples)
  const latency = runs[samples.indexOf(value)]?.reads
  return { subject, work, ack: 'disk', value, measure: 'ms', samples, latency }
}
