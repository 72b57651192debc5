import { Outputs, type OutputEvent, type OutputOptions, type Router } from '../router/index.ts'
import type { ProjectionTold } from '../space/index.ts'

/** The untyped face of `ProjectionHandle`. */
export class ProjectionControl {
  readonly #name: string
  readonly #router: Router

  constructor(name: string, router: Router) {
    this.#name = name
    this.#router = router
  }

  outputs(options: OutputOptions = {}): AsyncIterable<OutputEvent> {
    return new Outputs(this.#router, this.#name, options).events()
  }

  async status(): Promise<readonly (ProjectionTold & { readonly partition: number })[]> {
    const told = (await this.#router.all({ kind: 'projection', projection: this.#name })) as readonly ProjectionTold[]
    return told.map((one, partition) => ({ partition, ...one }))
  }
}
