import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../harness/latency.ts'
import type { Suite } from '../harness/suite.ts'
import { atMost } from '../harness/targets.ts'

/** Milliseconds between two edits: nobody writes faster, and the next thread is made ready meanwhile. */
const pauseMs = 1_000

/** How long an edit of a unit's file takes until the new code answers. */
export const devReload: Suite = {
  name: 'dev-reload',
  measures:
    "Time from the write of a unit's file to the first answer of the new code, under `develop`, with 100,000 entries on " +
    'four partitions in one thread, recovered from the journal each time, a second between edits. The entries are counted afterwards.',
  leavesOut: 'the start of the process, units of many files, and snapshots: a journal that was cut recovers faster.',
  async run(bench) {
    const accounts = bench.sized(100_000, 1_000)
    const edits = bench.sized(10, 2)
    await using bank = await bench.start('dev-bank', { accounts, partitions: 4, folder: await bench.folder() })
    const samples: number[] = []
    for (let edit = 0; edit < edits; edit++) {
      bench.say(`edit ${edit + 1}`)
      await sleep(bench.sized(pauseMs, 1))
      samples.push(await bank.subject.edit())
    }
    await bank.subject.check(accounts)
    const work = `edit to first answer, ${accounts.toLocaleString('en-US')} entries`
    const value = median(samples)
    return {
      rows: [{ subject: 'plenum', work, ack: 'disk', value, measure: 'ms', samples }],
      targets: bench.options.small ? [] : [atMost('edit to first answer', value, 500, 'ms')],
    }
  },
}
