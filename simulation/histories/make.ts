import type { HistoryRecorder } from 'plenum/testing'
import type { Faults } from '../run-seed.ts'
import { dumpText } from './lines.ts'
import { playReal } from './real.ts'
import { playSimulated } from './simulated.ts'
import { workloadNamed } from './workloads.ts'

/** Which history is to be made. */
export interface Wanted {
  readonly workload: string
  readonly seed: number
  readonly operations: number
  readonly faults: Faults
  readonly real: boolean
}

/** A history as text, and its journal dump; what else went wrong. */
export interface Made {
  readonly history: string
  readonly dump: string | undefined
  readonly failure: unknown
}

/** Makes a history. USAGE if there is no such workload. */
export async function makeHistory(wanted: Wanted, onProgress: (text: string) => void): Promise<Made> {
  const { seed, operations, faults, real } = wanted
  const workload = workloadNamed(wanted.workload)
  let recorder: HistoryRecorder | undefined
  const onHistory = (made: HistoryRecorder): void => void (recorder = made)
  const order = { seed, operations, onProgress }
  const { dump, failure } = real
    ? await playReal(workload, { ...order, kills: faults === 'all' }, onHistory)
    : await playSimulated(workload, { ...order, faults }, onHistory)
  const history = recorder?.toJsonLines() ?? ''
  return { history, dump: dump === undefined ? undefined : dumpText(dump), failure }
}
