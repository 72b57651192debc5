import type { Bench } from '../harness/bench.ts'
import { distributionName, uniform, type Distribution } from '../harness/draws.ts'
import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atLeast, atMost, type Target } from '../harness/targets.ts'
import { startBank, startSqlite } from './subjects.ts'

const inFlight = [1, 64, 1_024, 2_560]
const distributions: readonly Distribution[] = [uniform, { kind: 'zipf', exponent: 1.5 }]

/** Durable transfers beside the same on SQLite: the main comparison. */
export const transfers: Suite = {
  name: 'transfers',
  measures:
    'A handler with two reads and two writes: money moves between two accounts of one customer, durable (disk) when it ' +
    'is answered, beside one SQLite file (WAL, synchronous=FULL, prepared statements) behind the same group commit, each ' +
    'in its own process, in turn.',
  leavesOut:
    'several partitions or cores, other processes as callers, transfers across routes, a disk without write-back cache.',
  async run(bench) {
    const rows: Row[] = []
    for (const accounts of bench.sized([100_000, 5_000_000], [1_000])) rows.push(...(await compare(bench, accounts)))
    return { rows, targets: bench.options.small ? [] : targetsOf(rows) }
  },
}

async function compare(bench: Bench, accounts: number): Promise<readonly Row[]> {
  const { seconds, rounds } = bench.options
  bench.say(`loading ${accounts} accounts`)
  await using plenum = await startBank(bench, { accounts, ack: 'disk' })
  await using sqlite = await startSqlite(bench, accounts)
  const banks = [
    { subject: 'plenum', bank: plenum.subject, hash: await plenum.subject.proof() },
    { subject: 'node:sqlite', bank: sqlite.subject, hash: await sqlite.subject.proof() },
  ]
  const rows: Row[] = []
  for (const distribution of distributions) {
    for (const callers of bench.sized(inFlight, [1, 64])) {
      bench.say(`${accounts} accounts, ${distributionName(distribution)}, ${callers} in flight`)
      const contenders = banks.map(({ subject, bank, hash }): Contender => ({
        row: { subject, work: workOf(accounts, distribution), ack: 'disk', inFlight: callers, hash },
        measure: () => bank.transfers(distribution, callers, seconds),
      }))
      rows.push(...(await inTurn(rounds, contenders)))
    }
  }
  return rows
}

function workOf(accounts: number, distribution: Distribution): string {
  return `transfer, ${accounts.toLocaleString('en-US')} accounts, ${distributionName(distribution)}`
}

function targetsOf(rows: readonly Row[]): readonly Target[] {
  const at = (subject: string, accounts: number, distribution: Distribution, callers: number): Row => {
    const work = workOf(accounts, distribution)
    const row = rows.find((one) => one.subject === subject && one.work === work && one.inFlight === callers)
    if (row === undefined) throw new Error(`No row for ${subject}, ${work}, ${callers} in flight.`)
    return row
  }
  const [even, skewed] = [uniform, distributions[1]!]
  const small = at('plenum', 100_000, even, 1_024)
  const large = at('plenum', 5_000_000, even, 1_024)
  return [
    atLeast('100,000 accounts, 1,024 in flight', small.value, 250_000, '1/s'),
    atMost('the same, p99', small.latency?.p99 ?? Infinity, 10, 'ms'),
    atLeast('5 million accounts against 100,000, 1,024 in flight', large.value / small.value, 0.6, 'ratio'),
    atLeast(
      'Zipf 1.5 against uniform, 100,000 accounts, 1,024 in flight',
      at('plenum', 100_000, skewed, 1_024).value / small.value,
      1,
      'ratio',
    ),
    ...[100_000, 5_000_000].flatMap((accounts) =>
      inFlight.map((callers) =>
        atLeast(
          `against node:sqlite, ${accounts.toLocaleString('en-US')} accounts, ${callers} in flight`,
          at('plenum', accounts, even, callers).value / at('node:sqlite', accounts, even, callers).value,
          1.2,
          'ratio',
        ),
      ),
    ),
  ]
}
