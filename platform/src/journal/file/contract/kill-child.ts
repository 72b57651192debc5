// A process that appends to every journal of a folder as fast as it can, prints what is acked, and is killed.
//
//   node kill-child.ts <folder> <level> <in flight> <sync to die before, 0 for none>
import { writeSync } from 'node:fs'
import process from 'node:process'
import { NodeDisk } from '../../../runtime/node/index.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { openHere } from './folder-bench.ts'
import { testRecord } from './log-bench.ts'

const [path = '', level = 'disk', inFlight = '1', deathAt = '0'] = process.argv.slice(2)
const disk = new FaultyDisk(new NodeDisk())
const folder = await openHere(path, {
  disk,
  level: level === 'os' ? 'os' : 'disk',
  segmentBytesMin: 1 << 16,
  segmentBytesMax: 1 << 18,
  markMs: 20,
})
let syncs = 0
disk.plan = ({ kind, path: file }) => {
  // Between the write and the sync of a group: the bytes are with the system, nobody was told.
  if (kind === 'sync' && file.endsWith('.log') && ++syncs === Number(deathAt)) process.kill(process.pid, 'SIGKILL')
  return undefined
}

const next: number[] = []
for (const { journal } of folder.partitions) next.push((await journal.open()).next)

/** Prints synchronously, however full the pipe is: what was printed before the kill arrives. */
function tell(line: string): void {
  for (let rest = Buffer.from(line); rest.length > 0;) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

async function append(number: number): Promise<never> {
  const { journal } = folder.partitions[number]!
  for (;;) {
    const position = next[number]!++
    const outcome = await journal.append(position, testRecord(number, position, (position * 37) % 300))
    if (outcome.kind !== 'acked') throw new Error(`append was ${outcome.kind}`)
    tell(`${number} ${position}\n`)
  }
}

tell('open\n')
await Promise.all(Array.from({ length: Number(inFlight) }, (_, i) => append(i % folder.partitions.length)))
