/**
 * Resolves once every promise reaction that can run without a further event has run.
 *
 * Why that is sound: promise reactions and `process.nextTick` callbacks run until both of their queues are empty before
 * Node takes the next callback from its event loop, however long the chains are and whatever they add on the way. An
 * immediate is such a callback, so when it runs, nothing is left of what came before it. A fixed number of `await`s has
 * no such end: a chain that is one reaction longer would run into the next event.
 *
 * It holds as long as code in a world waits for nothing but promises and the ports: input, output, threads and timers of
 * the real machine would come in later, at a moment that no seed decides.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
