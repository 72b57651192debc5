import type { Call } from './closed-loop.ts'

export interface PacedRun {
  /** From the time at which a call was to be sent to its answer, in milliseconds, in the order of sending. */
  readonly latenciesMs: Float64Array
  readonly calls: number
  readonly perSecond: number
}

/**
 * The open loop: sends at `perSecond` whether or not anything was answered, and counts from the time at which a call
 * was meant to be sent, so that a stall shows in every call that it held up. The loop never sleeps: it looks at the
 * clock on every turn, because a timer would add a millisecond of its own.
 */
export function openLoop(
  perSecond: number,
  seconds: number,
  call: Call,
  answered?: (number: number) => void,
): Promise<PacedRun> {
  const calls = Math.ceil(perSecond * seconds)
  const latenciesMs = new Float64Array(calls)
  const stepMs = 1_000 / perSecond
  return new Promise((resolve, reject) => {
    const began = performance.now() + stepMs
    let sent = 0
    let open = calls
    const send = (number: number): void => {
      const intended = began + number * stepMs
      call(number).then(() => {
        latenciesMs[number] = performance.now() - intended
        answered?.(number)
        open -= 1
        if (open === 0) resolve({ latenciesMs, calls, perSecond: (calls * 1_000) / (performance.now() - began) })
      }, reject)
    }
    const turn = (): void => {
      const now = performance.now()
      while (sent < calls && began + sent * stepMs <= now) send(sent++)
      if (sent < calls) setImmediate(turn)
    }
    setImmediate(turn)
  })
}
