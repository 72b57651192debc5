import { embedded, unit, workflow } from 'plenum'
import { z } from 'zod'
import { stepOf, WorkflowBench } from './workflow-bench.ts'

export interface PlenumWorkflowsOptions {
  readonly ack: 'memory' | 'disk'
  /** Undefined for a journal in memory. */
  readonly folder: string | undefined
  readonly partitions: number
  /** Instances that are run at the same time, at most. */
  readonly concurrency: number
}

/** Opens it without instances. */
export async function openPlenumWorkflows(options: PlenumWorkflowsOptions): Promise<WorkflowBench> {
  const { ack, folder, partitions, concurrency } = options
  const chain = workflow(
    'chain',
    { input: z.object({ steps: z.int(), seed: z.int() }), concurrency },
    async ({ steps, seed }, { step }) => {
      let value = seed
      for (let at = 0; at < steps; at++) value = await step(`step ${at}`, () => stepOf(value))
      return value
    },
  )
  const chains = unit('chains', { entries: chain.entries }, { handlers: chain.handlers, workers: chain.workers })
  const journal = folder === undefined ? 'memory' : { folder }
  const client = await embedded({ unit: chains, partitions, ack, journal, development: false })
  const instances = chain.on(client)
  return new WorkflowBench({
    about: `Plenum of this checkout: ack = ${ack}, partitions = ${partitions}, development = false`,
    async run(id, steps, seed) {
      await instances.start(id, { steps, seed })
      return instances.result(id)
    },
    async close() {
      await client[Symbol.asyncDispose]()
    },
  })
}
