// The thread of the watchdog: looks at the shared counter four times per limit.
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import type { WatchdogData } from './watchdog.ts'

const { cells, parts, limitMs } = workerData as WatchdogData
const shared = new Int32Array(cells)
const last = { run: 0, since: 0 }

setInterval(() => {
  const now = performance.now()
  const current = Atomics.load(shared, 0)
  if (current !== last.run) {
    last.run = current
    last.since = now
    return
  }
  if (current === 0 || now - last.since < limitMs) return
  const part = parts[shared[1] ?? -1] ?? 'a function of the unit'
  writeSync(
    2,
    `HANDLER_STUCK: the ${part} did not return within ${limitMs} ms and held up its partition, so this process is ended. ` +
      'Nothing that was acked is lost; of the call nothing was kept. Make the loop in it end, or move long work to a worker.\n',
  )
  process.kill(process.pid, 'SIGKILL')
}, limitMs / 4)
