// Messages from handler to handler, and what a fold adds to a write.
import type { Remote } from '../harness/remote.ts'
import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atMost, type Target } from '../harness/targets.ts'
import type { RawDisk } from '../subjects/raw-disk.ts'
import { startRawDisk } from './subjects.ts'

const messageWork = 'message, from call to seen'
const syncWork = 'write and sync'
/** Bytes of a write of the anchor: a page. */
const anchorBytes = 4_096
/** Milliseconds that a message may take beside its two syncs. */
const besideMs = 1
const partitions = 4

/** How long a message is on its way, and what folding a change costs. */
export const messages: Suite = {
  name: 'messages',
  measures:
    'A handler that sends to a handler of another route: from its call until a watch sees what the receiver has done, in ' +
    'memory and durable (disk), beside writes and syncs of the raw disk. Then writes of a unit without a projection and ' +
    'of the same one with one that sums them, in turn. Messages that have not arrived and changes that were not folded ' +
    'are looked for afterwards.',
  leavesOut:
    'messages that fail or wait, partitions in other processes or threads, projections that do much, snapshots.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const rows: Row[] = []
    await using raw = await startRawDisk(bench)
    await using memory = await bench.start('relay', { partitions, folder: undefined, isFolded: false })
    await using folded = await bench.start('relay', { partitions, folder: undefined, isFolded: true })
    await using disk = await bench.start('relay', { partitions, folder: await bench.folder(), isFolded: false })
    for (const inFlight of bench.sized([1, 64, 1_024], [16])) {
      bench.say(`messages, ${inFlight} in flight`)
      const contenders: Contender[] = [
        {
          row: { subject: 'plenum', work: messageWork, ack: 'memory', inFlight },
          measure: () => memory.subject.messages(inFlight, seconds),
        },
        {
          row: { subject: 'plenum', work: messageWork, ack: 'disk', inFlight },
          measure: () => disk.subject.messages(inFlight, seconds),
        },
      ]
      if (inFlight === 1) contenders.push(anchor(raw, seconds))
      rows.push(...(await inTurn(rounds, contenders)))
    }
    for (const inFlight of bench.sized([64], [16])) {
      bench.say(`writes, ${inFlight} in flight`)
      rows.push(
        ...(await inTurn(rounds, [
          {
            row: { table: 'folds', subject: 'plenum', work: 'write', ack: 'memory', inFlight },
            measure: () => memory.subject.writes(inFlight, seconds),
          },
          {
            row: { table: 'folds', subject: 'plenum', work: 'write, folded', ack: 'memory', inFlight },
            measure: () => folded.subject.writes(inFlight, seconds),
          },
        ])),
      )
    }
    await memory.subject.check(false)
    await disk.subject.check(false)
    await folded.subject.check(true)
    return { rows, targets: bench.options.small ? [] : targetsOf(rows) }
  },
}

function anchor({ subject }: Remote<RawDisk>, seconds: number): Contender {
  return {
    row: { subject: 'raw disk', work: syncWork, ack: 'disk', inFlight: 1 },
    measure: () => subject.writeAndSync(anchorBytes, seconds),
  }
}

function targetsOf(rows: readonly Row[]): readonly Target[] {
  const p50 = (work: string): number =>
    rows.find((row) => row.work === work && row.ack === 'disk' && row.inFlight === 1)?.latency?.p50 ?? 0
  return [
    atMost('p50 of a message at disk against two syncs and 1 ms', p50(messageWork), 2 * p50(syncWork) + besideMs, 'ms'),
  ]
}
