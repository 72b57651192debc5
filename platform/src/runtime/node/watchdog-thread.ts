// The thread of the watchdog: looks at the shared counter once per limit of a slow stretch, more seldom while nothing runs: to
// look more often would cost more than it tells. A stretch of three times the limit is seen while others run.
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { LookPace } from './look-pace.ts'
import { StretchSampler } from './stretch-sampler.ts'
import type { SlowPart, WatchdogData } from './watchdog.ts'

const { cells, parts, limitMs, slowMs } = workerData as WatchdogData
const shared = new Int32Array(cells)
const sampler = new StretchSampler(slowMs)
const pace = new LookPace(slowMs, limitMs)

function look(): void {
  const count = Atomics.load(shared, 0)
  const { runningMs, slow } = sampler.sample(count, shared[1] ?? -1, performance.now())
  if (slow !== undefined) parentPort?.postMessage({ part: nameOf(slow.part), ms: slow.ms } satisfies SlowPart)
  if (runningMs !== undefined && runningMs >= limitMs) end(nameOf(shared[1] ?? -1))
  setTimeout(look, pace.next(count, runningMs !== undefined))
}

function nameOf(part: number): string {
  return parts[part] ?? 'a function of the unit'
}

function end(part: string): void {
  writeSync(
    2,
    `HANDLER_STUCK: the ${part} did not return within ${limitMs} ms and held up its partition, so this process is ended. ` +
      'Nothing that was acked is lost; of the call nothing was kept. Make the loop in it end, or move long work to a worker.\n',
  )
  process.kill(process.pid, 'SIGKILL')
}

look()
