import { parentPort, Worker, workerData } from 'node:worker_threads'
import type { Thread, ThreadPort } from '../ports.ts'

/** Starts a thread with a file of its own and what it is told at its start; its process does not live on for it. */
export function startThread(file: URL, data: unknown): Thread {
  const worker = new Worker(file, { workerData: data, execArgv: [] })
  worker.unref()
  let error: Error | undefined
  worker.on('error', (thrown: unknown) => (error = thrown instanceof Error ? thrown : new Error(String(thrown))))
  const ended = new Promise<Error | undefined>((resolve) => worker.once('exit', () => resolve(error)))
  return {
    ended,
    post: (message, moved) => worker.postMessage(message, moved),
    onMessage: (receive) => void worker.on('message', receive),
    hold: (isHeld) => (isHeld ? worker.ref() : worker.unref()),
    async end() {
      await worker.terminate()
    },
  }
}

/** The way to whoever has started this thread, and what it was told. */
export function startedBy(): { readonly port: ThreadPort; readonly data: unknown } {
  const port = parentPort
  if (port === null) throw new Error('This file is run in a thread, by the one that starts it.')
  return {
    data: workerData as unknown,
    port: {
      post: (message, moved) => port.postMessage(message, moved),
      onMessage: (receive) => void port.on('message', receive),
    },
  }
}
