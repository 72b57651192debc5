// The thread of a crew: plays one seed after the other as it is told.
import { parentPort } from 'node:worker_threads'
import { failureOf, type Outcome } from './outcome.ts'
import { playSeed, prepareSeed, type SeedName } from './run-seed.ts'

/** Frames of a stack where somebody will read it. */
const framesMax = Error.stackTraceLimit

/** Plays a seed; errors have stacks only where they are asked for, because every refusal that a client hears is one. */
async function outcomeOf(name: SeedName, frames: number): Promise<Outcome> {
  const begun = performance.now()
  Error.stackTraceLimit = frames
  try {
    const report = await playSeed(prepareSeed(name))
    return { kind: 'passed', name, report, ms: performance.now() - begun }
  } catch (error) {
    return { kind: 'failed', name, failure: failureOf(error), ms: performance.now() - begun }
  }
}

/** A run that failed is played once more for its stack; one that fails once only is told as it was. */
async function told(name: SeedName): Promise<Outcome> {
  const first = await outcomeOf(name, 0)
  if (first.kind === 'passed') return first
  const again = await outcomeOf(name, framesMax)
  return again.kind === 'failed' ? again : first
}

parentPort?.on('message', (name: SeedName) => {
  void told(name).then((outcome) => parentPort?.postMessage(outcome))
})
