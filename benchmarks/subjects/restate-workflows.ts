// A peer behind a socket: Restate's single server, whose services run in this process and are called from it.
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createServer } from 'node:http2'
import * as restate from '@restatedev/restate-sdk'
import { stepOf, WorkflowBench } from './workflow-bench.ts'

export interface RestateWorkflowsOptions {
  readonly ingressPort: number
  readonly adminPort: number
  readonly version: string
}

interface Chain {
  readonly steps: number
  readonly seed: number
}

/** Registers the service and opens it. */
export async function openRestateWorkflows(options: RestateWorkflowsOptions): Promise<WorkflowBench> {
  const { ingressPort, adminPort, version } = options
  const chain = restate.service({
    name: 'chain',
    handlers: {
      run: async (context: restate.Context, { steps, seed }: Chain): Promise<number> => {
        let value = seed
        for (let at = 0; at < steps; at++) value = await context.run(`step ${at}`, () => stepOf(value))
        return value
      },
    },
  })
  const endpoint = createServer(restate.createEndpointHandler({ services: [chain], logger: () => {} }))
  endpoint.listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  const address = endpoint.address()
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  await post(adminPort, '/deployments', { uri: `http://127.0.0.1:${address.port}` })
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  return new WorkflowBench({
    about: `Restate ${version}, one node: 24 partitions, provider replicated, rocksdb-disable-wal-fsync = false; service in the process of its callers over HTTP/2, calls over HTTP/1.1 with an idempotency key`,
    run: async (id, steps, seed) => Number(await post(ingressPort, '/chain/run', { steps, seed }, { agent, id })),
    async close() {
      agent.destroy()
      endpoint.close()
    },
  })
}

/** Posts JSON and returns the text of the answer. */
function post(
  port: number,
  path: string,
  body: object,
  { agent, id }: { readonly agent?: Agent; readonly id?: string } = {},
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = { 'content-type': 'application/json', ...(id === undefined ? {} : { 'idempotency-key': id }) }
  const call = request({ host: '127.0.0.1', port, path, method: 'POST', headers, ...(agent ? { agent } : {}) })
  call.once('response', (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (part: string) => (text += part))
    response.once('end', () => {
      if ((response.statusCode ?? 500) < 300) resolve(text)
      else reject(new Error(`Restate answered ${response.statusCode}: ${text}`))
    })
  })
  call.once('error', reject)
  call.end(JSON.stringify(body))
  return promise
}
