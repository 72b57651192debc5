import type { HistoryRecorder } from 'plenum/testing'
import type { Witness } from './unit.ts'

/** Records what workers do: each run of the function is an operation of a process of its own. */
export class RecordedWork implements Witness {
  readonly #recorder: () => HistoryRecorder
  readonly #runs = new Map<number, { readonly process: number; readonly id: number; readonly group: string }>()
  #isOver = false

  constructor(recorder: () => HistoryRecorder) {
    this.#recorder = recorder
  }

  /** Whoever still runs when everything is done is forgotten: its claim was over long ago. */
  close(): void {
    this.#isOver = true
  }

  begin(id: number, group: string): Promise<number> {
    if (this.#isOver) return Promise.resolve(-1)
    const process = this.#recorder().nextProcess()
    const run = this.#recorder().invoke(process, { f: 'work', key: group, value: id })
    this.#runs.set(run, { process, id, group })
    return Promise.resolve(run)
  }

  end(run: number, how: 'ok' | 'fail'): Promise<void> {
    const found = this.#runs.get(run)
    this.#runs.delete(run)
    if (found === undefined || this.#isOver) return Promise.resolve()
    const { process, id, group } = found
    const ended = how === 'ok' ? { value: id } : { error: 'FAILED' }
    this.#recorder().complete(process, run, how, { f: 'work', key: group, value: id }, ended)
    return Promise.resolve()
  }
}
