import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atLeast, type Target } from '../harness/targets.ts'

/** Threads beside the callers' own; undefined for all on that one. */
const arrangements = [undefined, 1, 2] as const
const taskName = 'task, 2 partitions'

/** Partitions on threads of their own, beside all on the callers' thread. */
export const threads: Suite = {
  name: 'threads',
  measures:
    'Two partitions on the thread that asks, on one other thread, and on two: a task that computes in both, one after ' +
    'the other, and a handler call with two reads and two writes, in memory and durable (disk). The hash is what the ' +
    'task comes to; the moves are counted afterwards.',
  leavesOut: 'more than two cores, large values, and callers that have work of their own.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const taskRounds = bench.sized(30_000_000, 10_000)
    const rows: Row[] = []
    for (const ack of ['memory', 'disk'] as const) {
      const started = []
      for (const count of arrangements) {
        const folder = ack === 'memory' ? undefined : await bench.folder()
        const options = { accounts: bench.sized(100_000, 1_000), partitions: 2, threads: count, folder }
        started.push({ subject: nameOf(count), bank: await bench.start('thread-bank', options) })
      }
      if (ack === 'memory') {
        bench.say('tasks')
        const contenders = await Promise.all(
          started.map(async ({ subject, bank }): Promise<Contender> => {
            const hash = await bank.subject.proof(taskRounds)
            return {
              row: { subject, work: taskName, ack: '-', hash },
              measure: () => bank.subject.tasks(taskRounds, seconds),
            }
          }),
        )
        rows.push(...(await inTurn(rounds, contenders)))
      }
      for (const inFlight of bench.sized([1, 64, 1_024], [16])) {
        bench.say(`${ack}, ${inFlight} in flight`)
        const contenders = started.map(({ subject, bank }): Contender => ({
          row: { subject, work: 'handler call', ack, inFlight },
          measure: () => bank.subject.moves(inFlight, seconds),
        }))
        rows.push(...(await inTurn(rounds, contenders)))
      }
      for (const { bank } of started) {
        await bank.subject.check()
        await bank[Symbol.asyncDispose]()
      }
    }
    return { rows, targets: bench.options.small ? [] : targetsOf(rows) }
  },
}

function nameOf(count: number | undefined): string {
  if (count === undefined) return "the callers' thread"
  return count === 1 ? '1 thread' : `${count} threads`
}

function targetsOf(rows: readonly Row[]): readonly Target[] {
  const rate = (count: number | undefined): number =>
    Math.max(
      ...rows.filter(({ work, subject }) => work === taskName && subject === nameOf(count)).map(({ value }) => value),
    )
  return [
    atLeast('a task on 2 threads against 1', rate(2) / rate(1), 1.8, 'ratio'),
    atLeast("a task on 2 threads against the callers' thread", rate(2) / rate(undefined), 1.8, 'ratio'),
  ]
}
