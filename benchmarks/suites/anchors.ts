import { groupHeaderBytes } from '../../platform/src/journal/file/layout.ts'
import { uniform } from '../harness/draws.ts'
import { inTurn } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atLeast } from '../harness/targets.ts'
import { startBank, startFileEngine, startRawDisk } from './subjects.ts'

/** Durable transfers beside what the disk, and the journal without a machine, do with the same bytes. */
export const anchors: Suite = {
  name: 'anchors',
  measures:
    'Durable transfers beside write + fdatasync of the same bytes in a preallocated file (one at a time), and beside ' +
    'the file engine without a machine, a record of the same size for each. And what a transfer costs the disk.',
  leavesOut: 'what the file system writes beside the file, such as its own journal.',
  async run(bench) {
    const { seconds, rounds } = bench.options
    const accounts = bench.sized(100_000, 1_000)
    await using bank = await startBank(bench, { accounts, ack: 'disk' })
    await using raw = await startRawDisk(bench)
    await using engine = await startFileEngine(bench, 'disk')
    const rows: Row[] = []
    let oneBytes = 0
    for (const inFlight of bench.sized([1, 64, 1_024], [1, 64])) {
      bench.say(`${inFlight} in flight`)
      const disk = await bank.subject.diskOfTransfers(inFlight, seconds)
      const bytes = Math.round(disk.bytes / disk.operations)
      if (inFlight === 1) oneBytes = bytes
      const counted = { subject: 'plenum', ack: 'disk', inFlight, samples: [] } as const
      rows.push({ ...counted, work: 'bytes written per transfer', value: bytes, measure: 'B' })
      rows.push({ ...counted, work: 'and zeros before them', value: disk.fillBytes / disk.operations, measure: 'B' })
      rows.push({ ...counted, work: 'syncs per transfer', value: disk.syncs / disk.operations, measure: 'pieces' })
      // A record that stands alone has a header of its own; the group's is added by the engine.
      const recordBytes = oneBytes - groupHeaderBytes
      const anchor = { ack: 'disk', inFlight } as const
      rows.push(
        ...(await inTurn(rounds, [
          {
            row: { subject: 'plenum', work: 'transfer', ...anchor },
            measure: () => bank.subject.transfers(uniform, inFlight, seconds),
          },
          {
            row: { subject: 'file engine', work: `append of ${recordBytes} B`, ...anchor },
            measure: () => engine.subject.appends(recordBytes, inFlight, seconds),
          },
          ...(inFlight === 1
            ? [
                {
                  row: { subject: 'raw disk', work: `write + fdatasync of ${bytes} B`, ...anchor },
                  measure: () => raw.subject.writeAndSync(bytes, seconds),
                },
              ]
            : []),
        ])),
      )
    }
    return { rows, targets: bench.options.small ? [] : targetsOf(rows) }
  },
}

function targetsOf(rows: readonly Row[]): ReturnType<typeof atLeast>[] {
  const rate = (subject: string, inFlight: number): number =>
    rows.find((row) => row.subject === subject && row.inFlight === inFlight && row.measure === '1/s')?.value ?? 0
  return [
    atLeast('one at a time against write + fdatasync', rate('plenum', 1) / rate('raw disk', 1), 0.7, 'ratio'),
    atLeast(
      '1,024 in flight against the file engine',
      rate('plenum', 1_024) / rate('file engine', 1_024),
      0.6,
      'ratio',
    ),
  ]
}
