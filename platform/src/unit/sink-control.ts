import type { Router } from '../router/index.ts'
import type { SinkTold } from '../space/index.ts'
import { sinkName } from './sink.ts'

/** The untyped face of `SinkHandle`. */
export class SinkControl {
  readonly #name: string
  readonly #router: Router

  constructor(name: string, router: Router) {
    this.#name = name
    this.#router = router
  }

  async status(): Promise<readonly (SinkTold & { readonly partition: number })[]> {
    const told = (await this.#router.all({ kind: 'sink', sink: sinkName(this.#name) })) as readonly SinkTold[]
    return told.map((one, partition) => ({ partition, ...one }))
  }
}
