import { uniform } from '../harness/draws.ts'
import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atLeast } from '../harness/targets.ts'
import { startBank } from './subjects.ts'

const levelsOfAck = ['memory', 'os', 'disk'] as const

/** The same handler at each level: what an ack costs. */
export const levels: Suite = {
  name: 'levels',
  measures: 'The transfer handler (two reads, two writes) over 100,000 accounts at each ack level, the levels in turn.',
  leavesOut: 'levels of a grid.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const accounts = bench.sized(100_000, 1_000)
    const rows: Row[] = []
    await using memory = await startBank(bench, { accounts, ack: 'memory' })
    await using os = await startBank(bench, { accounts, ack: 'os' })
    await using disk = await startBank(bench, { accounts, ack: 'disk' })
    const banks = { memory: memory.subject, os: os.subject, disk: disk.subject }
    const hashes = {
      memory: await memory.subject.proof(),
      os: await os.subject.proof(),
      disk: await disk.subject.proof(),
    }
    for (const inFlight of bench.sized([1, 64, 1_024, 2_560], [64])) {
      bench.say(`${inFlight} in flight`)
      const contenders = levelsOfAck.map((ack): Contender => ({
        row: { subject: 'plenum', work: 'transfer', ack, inFlight, hash: hashes[ack] },
        measure: () => banks[ack].transfers(uniform, inFlight, seconds),
      }))
      rows.push(...(await inTurn(rounds, contenders)))
    }
    const best = Math.max(...rows.filter(({ ack }) => ack === 'memory').map(({ value }) => value))
    return { rows, targets: bench.options.small ? [] : [atLeast('transfers at memory', best, 600_000, '1/s')] }
  },
}
