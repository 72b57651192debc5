// The other end of thread-disk.ts: writes and syncs what it finds in the shared buffer, one commit at a time.
import { fdatasyncSync, writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { control, type SharedBuffers } from './thread-disk.ts'

const { words, bytes } = workerData as SharedBuffers
const state = new Int32Array(words)
const data = new Uint8Array(bytes)
/** Looks so often before it sleeps: a sleeping thread takes longer to wake than a fast disk to sync. */
const spins = 20_000

for (;;) {
  for (let spin = 0; spin < spins && Atomics.load(state, control.turn) === control.idle; spin += 1);
  Atomics.wait(state, control.turn, control.idle)
  const at = (state[control.atHigh] ?? 0) * 2 ** 30 + (state[control.atLow] ?? 0)
  try {
    writeSync(state[control.descriptor] ?? -1, data, 0, state[control.length] ?? 0, at)
    fdatasyncSync(state[control.descriptor] ?? -1)
    state[control.failed] = 0
  } catch {
    state[control.failed] = 1
  }
  Atomics.store(state, control.turn, control.idle)
  Atomics.store(state, control.done, 1)
  Atomics.notify(state, control.done)
}
