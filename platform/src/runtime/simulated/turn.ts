const batch = 64

/**
 * Calls `step` again and again until it returns false, each time with nothing left to run of what the last call began.
 *
 * Why that is sound: before Node calls an immediate, it empties the queues of promise reactions and of `nextTick`
 * callbacks, however long the chains are and whatever they add on the way; between two immediates of one round of the
 * event loop, too. So when `step` is called, every promise reaction that could run has run. A fixed number of `await`s
 * has no such end: a chain that is one reaction longer would run into the next event.
 *
 * It holds as long as code in a world waits for nothing but promises and the ports: input, output, threads and timers of
 * the real machine would come in later, at a moment that no seed decides.
 *
 * Several immediates are queued at once, because a round of the event loop asks the system for input, which costs more
 * than an event does.
 */
export function eachTurn(step: () => boolean): void {
  let queued = 0
  let over = false
  const turn = (): void => {
    queued -= 1
    if (over) return
    over = !step()
    if (queued === 0 && !over) queue()
  }
  const queue = (): void => {
    queued = batch
    for (let at = 0; at < batch; at++) setImmediate(turn)
  }
  queue()
}
