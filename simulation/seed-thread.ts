// The thread of a crew: plays one seed after the other as it is told.
import { parentPort } from 'node:worker_threads'
import { failureOf, type Outcome } from './outcome.ts'
import { playSeed, prepareSeed, type SeedName } from './run-seed.ts'

async function outcomeOf(name: SeedName): Promise<Outcome> {
  const begun = performance.now()
  try {
    const report = await playSeed(prepareSeed(name))
    return { kind: 'passed', name, report, ms: performance.now() - begun }
  } catch (error) {
    return { kind: 'failed', name, failure: failureOf(error), ms: performance.now() - begun }
  }
}

parentPort?.on('message', (name: SeedName) => {
  void outcomeOf(name).then((outcome) => parentPort?.postMessage(outcome))
})
