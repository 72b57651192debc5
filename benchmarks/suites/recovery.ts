import type { Bench } from '../harness/bench.ts'
import { median } from '../harness/latency.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atMost } from '../harness/targets.ts'
import { startBank } from './subjects.ts'

/** How long a partition needs from a killed process to its first answer. */
export const recovery: Suite = {
  name: 'recovery',
  measures:
    'Time to open a folder of one million entries again after kill -9: from the journal, a record of inserts for each ' +
    'group commit, and from a snapshot. The hash says that the balances are those from before the kill.',
  leavesOut: 'the start of the process, and reading from a cold disk: the files are in the page cache.',
  async run(bench) {
    const accounts = bench.sized(1_000_000, 1_000)
    const entries = accounts.toLocaleString('en-US')
    const folder = await bench.folder()
    bench.say(`writing ${entries} entries`)
    const writer = await bench.start('snapshot-bank', { accounts, folder, load: 'singly' })
    await writer.kill()
    const journal = await openAgain(bench, accounts, folder, `from the journal, ${entries} entries`)
    bench.say('taking a snapshot')
    const taker = await bench.start('snapshot-bank', { accounts, folder, load: false })
    const hash = await taker.subject.balances()
    const snapshotMs = await taker.subject.snapshot()
    await taker.kill()
    const snapshot = await openAgain(bench, accounts, folder, `from a snapshot, ${entries} entries`)
    for (const row of [journal, snapshot]) {
      if (row.hash !== hash) throw new Error(`The balances changed on the way: ${row.hash} is not ${hash}.`)
    }
    const taken: Row = {
      subject: 'plenum',
      work: `a snapshot of ${entries} entries`,
      ack: 'disk',
      value: snapshotMs,
      measure: 'ms',
      samples: [snapshotMs],
    }
    const targets = bench.options.small
      ? []
      : [journal, snapshot].map(({ work, value }) => atMost(work, value, 3_000, 'ms'))
    return { rows: [journal, snapshot, taken], targets }
  },
}

async function openAgain(bench: Bench, accounts: number, folder: string, work: string): Promise<Row> {
  const samples: number[] = []
  let hash = ''
  for (let round = 0; round < bench.options.rounds; round++) {
    bench.say(work)
    const bank = await startBank(bench, { accounts, ack: 'disk', folder, load: false })
    samples.push(await bank.subject.openedMs())
    hash = await bank.subject.balances()
    await bank.kill()
  }
  return { subject: 'plenum', work: `open ${work}`, ack: 'disk', value: median(samples), measure: 'ms', samples, hash }
}
