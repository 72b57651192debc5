import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atLeast, type Target } from '../harness/targets.ts'
import type { TransferKind } from '../subjects/transaction-bank.ts'

const kinds: readonly TransferKind[] = ['two partitions', 'one partition', 'handler']
const judgedInFlight = 1_024

/** Transactions over two partitions, beside the same on one and beside a handler. */
export const transactions: Suite = {
  name: 'transactions',
  measures:
    'A transaction of two reads and two writes over 100,000 accounts on four partitions: its accounts on two of them ' +
    '(two-phase commit), or on one; and a handler that reads and writes as often. In memory, and durable (disk) in one ' +
    'folder. The money is counted afterwards.',
  leavesOut:
    'members on several machines, conflicts (hardly any here), queries in a transaction, other transactional stores.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const accounts = bench.sized(100_000, 1_000)
    const rows: Row[] = []
    for (const ack of ['memory', 'disk'] as const) {
      const folder = ack === 'memory' ? undefined : await bench.folder()
      await using bank = await bench.start('transaction-bank', { accounts, partitions: 4, ack, folder })
      for (const inFlight of bench.sized([64, judgedInFlight], [16])) {
        bench.say(`${ack}, ${inFlight} in flight`)
        const contenders = kinds.map((kind): Contender => ({
          row: { subject: 'plenum', work: workOf(kind), ack, inFlight },
          measure: () => bank.subject.transfers(kind, inFlight, seconds),
        }))
        rows.push(...(await inTurn(rounds, contenders)))
      }
      await bank.subject.check()
    }
    return { rows, targets: bench.options.small ? [] : targetsOf(rows) }
  },
}

function workOf(kind: TransferKind): string {
  return kind === 'handler' ? 'transfer by a handler' : `transaction on ${kind}`
}

function targetsOf(rows: readonly Row[]): readonly Target[] {
  const rate = (kind: TransferKind, ack: string, inFlight?: number): number =>
    Math.max(
      ...rows
        .filter((row) => row.work === workOf(kind) && row.ack === ack && (inFlight ?? row.inFlight) === row.inFlight)
        .map(({ value }) => value),
    )
  return [
    atLeast('transactions on two partitions, memory', rate('two partitions', 'memory'), 60_000, '1/s'),
    atLeast(
      'two partitions against one, disk, 1,024 in flight',
      rate('two partitions', 'disk', judgedInFlight) / rate('one partition', 'disk', judgedInFlight),
      0.5,
      'ratio',
    ),
  ]
}
