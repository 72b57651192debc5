import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import type { Histogram, Metrics, Tell } from '../../metrics/index.ts'

/** Milliseconds between two looks at how late the loop is. */
const lookEveryMs = 20

/**
 * What this process uses, and how late its event loop is. The histogram that Node keeps itself cannot be joined with that of
 * another process, and never forgets; this one can, and two of its snapshots differ by what was between them.
 */
export class ProcessGauges {
  readonly #delay: Histogram
  readonly #forget: () => void
  #timer: NodeJS.Timeout
  #dueAt = 0

  constructor(metrics: Metrics) {
    this.#delay = metrics.histogram('loopDelay')
    this.#forget = metrics.ask(tellProcess)
    this.#timer = this.#look()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#forget()
  }

  #look(): NodeJS.Timeout {
    this.#dueAt = performance.now() + lookEveryMs
    const timer = setTimeout(() => {
      this.#delay.record(Math.max(0, performance.now() - this.#dueAt))
      this.#timer = this.#look()
    }, lookEveryMs)
    return timer.unref()
  }
}

function tellProcess(tell: Tell): void {
  const { active, idle, utilization } = performance.eventLoopUtilization()
  tell('loopTime', active / 1_000, { 'nodejs.eventloop.state': 'active' })
  tell('loopTime', idle / 1_000, { 'nodejs.eventloop.state': 'idle' })
  tell('loopUtilization', utilization)
  tell('memory', process.memoryUsage.rss())
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics())
    tell('heapUsed', used, { 'v8js.heap.space.name': name })
  tell('heapLimit', getHeapStatistics().heap_size_limit)
  const { user, system } = process.cpuUsage()
  tell('cpuTime', user / 1e6, { 'cpu.mode': 'user' })
  tell('cpuTime', system / 1e6, { 'cpu.mode': 'system' })
  tell('uptime', process.uptime())
}
