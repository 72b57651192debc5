import { createHash, hash, randomFillSync } from 'node:crypto'
import type { Clock, Random, Runtime, Timer, Timers } from '../ports.ts'

const digestBytes = 16

/** The clocks, timers, randomness and hash of this process. */
export function nodeRuntime(): Runtime {
  return { clock: nodeClock, timers: nodeTimers, random: nodeRandom, digest: nodeDigest }
}

// Taken once, because the purity guard closes the globals while a handler runs, and a handler's own ids need them.
const wallNow = Date.now
const random = Math.random
const monotonicNow = performance.now.bind(performance)

const nodeClock: Clock = { monotonic: monotonicNow, wall: wallNow }

const nodeTimers: Timers = {
  after(delayMs: number, run: () => void): Timer {
    if (delayMs > timeoutMsMax) return afterLong(delayMs, run)
    const timeout = setTimeout(run, delayMs)
    return { stop: () => clearTimeout(timeout) }
  },
  soon(run: () => void): void {
    setImmediate(run)
  },
}

/** As long as one timer of Node can be: it takes a longer one for no time at all. */
const timeoutMsMax = 0x7fffffff

function afterLong(delayMs: number, run: () => void): Timer {
  let timer = nodeTimers.after(timeoutMsMax, () => {
    timer = nodeTimers.after(delayMs - timeoutMsMax, run)
  })
  return { stop: () => timer.stop() }
}

const nodeRandom: Random = {
  next: random,
  integer: (below: number) => Math.floor(random() * below),
  bytes: (length: number) => randomFillSync(new Uint8Array(length)),
}

/** SHA-256 of the concatenated parts, cut to 16 bytes. The one-shot call costs half of a hash object. */
function nodeDigest(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return hash('sha256', only, 'buffer').subarray(0, digestBytes)
  const whole = createHash('sha256')
  for (const part of parts) whole.update(part)
  return whole.digest().subarray(0, digestBytes)
}
