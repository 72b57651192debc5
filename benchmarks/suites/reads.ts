import { inTurn } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atLeast } from '../harness/targets.ts'
import { startBank } from './subjects.ts'

const judgedAt = 100_000

/** Reads by id beside the data and through the client, and how their cost grows with the entries. */
export const reads: Suite = {
  name: 'reads',
  measures:
    'Reads of one entry by id: inside a task, beside the data, and through the client in the same process; over more ' +
    'and more entries, with 131,072 keys in random order that were made beforehand.',
  leavesOut: 'queries, reads over a network, reads that wait for an unacked write.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const rows: Row[] = []
    for (const accounts of bench.sized([10_000, judgedAt, 1_000_000, 5_000_000], [1_000])) {
      bench.say(`${accounts} entries`)
      await using bank = await startBank(bench, { accounts, ack: 'memory' })
      const { subject } = bank
      const entries = `${accounts.toLocaleString('en-US')} entries`
      rows.push(
        ...(await inTurn(rounds, [
          {
            row: { subject: 'plenum', work: `get in a task, ${entries}`, ack: '-' },
            measure: () => subject.colocatedGets(seconds),
          },
          ...[1, 64].map((inFlight) => ({
            row: { subject: 'plenum', work: `get by the client, ${entries}`, ack: '-', inFlight } as const,
            measure: () => subject.gets(inFlight, seconds),
          })),
        ])),
      )
    }
    return { rows, targets: bench.options.small ? [] : targetsOf(rows) }
  },
}

function targetsOf(rows: readonly Row[]): ReturnType<typeof atLeast>[] {
  const best = (work: string): number =>
    Math.max(...rows.filter((row) => row.work.startsWith(work)).map(({ value }) => value))
  const entries = judgedAt.toLocaleString('en-US')
  return [
    atLeast(`get in a task, ${entries} entries`, best(`get in a task, ${entries} `), 5_000_000, '1/s'),
    atLeast(`get by the client, ${entries} entries`, best(`get by the client, ${entries} `), 2_000_000, '1/s'),
  ]
}
