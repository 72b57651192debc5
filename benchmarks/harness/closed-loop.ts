// The closed loop: so many callers, each of which asks again as soon as it was answered.
//
// A caller is a promise chain of one link, without a function that awaits, so that the driver costs little of what it
// measures: a clock and a store for each call, and with `cheapLoop` not even those.
import { latencyOf, type Latency } from './latency.ts'

/** One call, by its number in the run. */
export type Call = (number: number) => Promise<unknown>

export interface Reading {
  readonly operations: number
  readonly seconds: number
  readonly latency?: Latency | undefined
}

/** Latencies beyond this many are not kept: the first ones stand for all. */
const samplesMax = 8_000_000
/** Part of a run's time that passes before it counts. */
const warmUpShare = 0.2

/** Runs `callers` for `seconds`, after a warm-up, and keeps the latency of each call. Rejects with the first failure. */
export async function closedLoop(callers: number, seconds: number, call: Call): Promise<Reading> {
  const begin = await loop(callers, seconds * warmUpShare, call, 0, new Float64Array(0))
  const samples = new Float64Array(Math.min(samplesMax, 4_096 + Math.ceil((begin.rate * 2 + 10_000) * seconds)))
  const run = await loop(callers, seconds, call, begin.operations, samples)
  const kept = samples.subarray(0, Math.min(run.operations, samples.length))
  return { operations: run.operations, seconds: run.seconds, latency: latencyOf(kept) }
}

interface LoopRun {
  readonly operations: number
  readonly seconds: number
  readonly rate: number
}

function loop(callers: number, seconds: number, call: Call, from: number, samples: Float64Array): Promise<LoopRun> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const until = began + seconds * 1_000
    let next = from
    let done = 0
    let running = callers
    const caller = (): void => {
      let asked = began
      const answered = (): void => {
        const now = performance.now()
        if (done < samples.length) samples[done] = now - asked
        done += 1
        if (now < until) {
          asked = now
          call(next++).then(answered, reject)
          return
        }
        running -= 1
        if (running > 0) return
        const tookSeconds = (now - began) / 1_000
        resolve({ operations: done, seconds: tookSeconds, rate: done / tookSeconds })
      }
      call(next++).then(answered, reject)
    }
    for (let at = 0; at < callers; at++) caller()
  })
}

/** Calls between two looks at the clock. */
const clockEvery = 128

/** The same without latencies, for calls that take less time than a look at the clock. */
export async function cheapLoop(callers: number, seconds: number, call: Call): Promise<Reading> {
  const begin = await cheap(callers, seconds * warmUpShare, call, 0)
  return cheap(callers, seconds, call, begin.operations)
}

function cheap(callers: number, seconds: number, call: Call, from: number): Promise<Reading> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const until = began + seconds * 1_000
    let next = from
    let stopped = false
    let running = callers
    const answered = (): void => {
      if (next % clockEvery === 0 && performance.now() >= until) stopped = true
      if (!stopped) {
        call(next++).then(answered, reject)
        return
      }
      running -= 1
      if (running === 0) resolve({ operations: next - from, seconds: (performance.now() - began) / 1_000 })
    }
    for (let at = 0; at < callers; at++) call(next++).then(answered, reject)
  })
}
