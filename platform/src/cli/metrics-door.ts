import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PlenumError } from '../kernel/index.ts'
import { metricsContentType, metricsText, type MetricsSnapshot } from '../metrics/index.ts'

/** Only this machine may ask: what is counted is nobody else's business. */
const host = '127.0.0.1'

/** Answers GET /metrics on a port of the loopback address, as Prometheus asks for it. */
export class MetricsDoor {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** Opens it; port 0 is one that is free. What the system refuses is USAGE, with what it says. */
  static async open(port: number, snapshot: () => MetricsSnapshot): Promise<MetricsDoor> {
    const server = createServer((request, response) => {
      const isAsked = request.url === '/metrics' && (request.method === 'GET' || request.method === 'HEAD')
      response.writeHead(isAsked ? 200 : 404, { 'content-type': isAsked ? metricsContentType : 'text/plain' })
      response.end(isAsked ? metricsText(snapshot()) : 'There is GET /metrics, and nothing else.\n')
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(port, host, resolve)
    try {
      await promise
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new PlenumError('USAGE', `plenum run: --metrics cannot serve port ${port} of this machine: ${why}.`, {
        details: { command: 'run', option: '--metrics', port },
        cause: error,
      })
    }
    return new MetricsDoor(server)
  }

  /** Where it is asked. */
  get url(): string {
    return `http://${host}:${(this.#server.address() as AddressInfo).port}/metrics`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => void this.#server.close(resolve))
  }
}
