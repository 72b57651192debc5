import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atLeast, type Target } from '../harness/targets.ts'
import type { QueryShop } from '../subjects/query-shop.ts'

/** Queries by an indexed field, takes, mutations and watches. */
export const queries: Suite = {
  name: 'queries',
  measures:
    'Queries by an indexed field inside a task, with one match and with ten, by equality and by a range; pairs of write ' +
    'and take by an indexed field, inside a handler and through the client; mutations; and deliveries to watchers of one ' +
    'caller. Two indexes are kept up with every write.',
  leavesOut: 'queries over several partitions, scans, takes that wait, a journal on a disk.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const rows: Row[] = []
    for (const entries of bench.sized([10_000, 1_000_000], [1_000])) {
      bench.say(`${entries} entries`)
      await using shop = await bench.start('query-shop', { entries })
      const { subject } = shop
      const over = `${entries.toLocaleString('en-US')} entries`
      const contender = (work: string, measure: Contender['measure'], inFlight?: number): Contender => ({
        row: {
          subject: 'plenum',
          work: `${work}, ${over}`,
          ack: 'memory',
          ...(inFlight === undefined ? {} : { inFlight }),
        },
        measure,
      })
      rows.push(
        ...(await inTurn(rounds, contenders(subject, seconds, contender, bench.sized([1, 100, 1_000], [1, 3])))),
      )
    }
    return { rows, targets: bench.options.small ? [] : targetsOf(rows) }
  },
}

function contenders(
  subject: QueryShop,
  seconds: number,
  contender: (work: string, measure: Contender['measure'], inFlight?: number) => Contender,
  watchers: readonly number[],
): readonly Contender[] {
  return [
    contender('query of one match, in a task', () => subject.queries('one', seconds)),
    contender('query of ten matches, in a task', () => subject.queries('ten', seconds)),
    contender('query of a range of ten, in a task', () => subject.queries('range', seconds)),
    contender('write and take, in a handler', () => subject.writeAndTake(seconds)),
    contender('write and take by the client', () => subject.takes(64, seconds), 64),
    contender('change by the client', () => subject.changes(64, seconds), 64),
    ...watchers.map((count) =>
      contender(`deliveries to ${count.toLocaleString('en-US')} watchers`, () => subject.deliveries(count, seconds)),
    ),
  ]
}

function targetsOf(rows: readonly Row[]): readonly Target[] {
  const best = (work: string): number =>
    Math.max(...rows.filter((row) => row.work.startsWith(work)).map(({ value }) => value))
  return [
    atLeast('query of one match, in a task', best('query of one match'), 1_500_000, '1/s'),
    atLeast('query of ten matches, in a task', best('query of ten matches'), 500_000, '1/s'),
    atLeast('write and take, in a handler', best('write and take, in a handler'), 500_000, '1/s'),
    atLeast('write and take by the client', best('write and take by the client'), 250_000, '1/s'),
    atLeast('deliveries to watchers', best('deliveries to'), 500_000, '1/s'),
  ]
}
