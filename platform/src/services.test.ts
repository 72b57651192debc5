import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, port, service, unit, type Client, type EmbeddedEvent, type EmbeddedOptions } from './index.ts'

const Price = entry('price', z.object({ id: z.string(), symbol: z.string(), price: z.int() }), {
  id: 'id',
  route: 'symbol',
})

interface Outside {
  rate(currency: string): Promise<number>
}

let leaked: (() => unknown) | undefined
const keys: string[] = []
const signals: AbortSignal[] = []

const market = unit(
  'market',
  { entries: [Price], uses: { outside: port<Outside>() } },
  {
    services: {
      best: service(
        { input: z.object({ symbol: z.string() }), route: 'symbol' },
        async ({ symbol }, { partition, caller, key }) => {
          keys.push(key)
          const [first] = partition.readAll(Price, { symbol }, { orderBy: { price: 'asc' }, limit: 1 })
          return { price: first?.price, caller: caller.subject }
        },
      ),
      converted: service(
        { input: z.object({ symbol: z.string(), currency: z.string() }), route: 'symbol', timeout: '10s' },
        async ({ symbol, currency }, { partition, space, uses }) => {
          const rate = await uses.outside.rate(currency)
          const here = partition.readAll(Price, { symbol }).length
          const everywhere = await space.count(Price, {})
          await space.insert(Price, { id: `${symbol} ${currency}`, symbol, price: rate })
          return [rate, here, everywhere]
        },
      ),
      count: service(
        { input: z.object({ above: z.int() }) },
        async ({ above }, { partition }) => partition.count(Price, { price: { gt: above } }),
        (left, right) => left + right,
      ),
      broken: service(
        { input: z.object({ how: z.string() }) },
        async (): Promise<unknown> => 1,
        (_, right) => {
          if (right === 1) throw new Error('a reducer')
          return new Map()
        },
      ),
      anywhere: service({ input: z.object({}) }, async (_, { partition }) => partition.count(Price, {})),
      hang: service({ input: z.object({}), timeout: '20ms' }, async (_, { signal }): Promise<number> => {
        signals.push(signal)
        return new Promise(() => {})
      }),
      throws: service({ input: z.object({ what: z.string() }) }, async ({ what }, { space, partition }) => {
        if (what === 'platform') await space.update(Price, { id: 'x', symbol: 'x', price: 1 })
        if (what === 'map') return new Map() as never
        if (what === 'leak') {
          leaked = () => partition.count(Price, {})
          return 1
        }
        throw new Error('a defect')
      }),
    },
  },
)

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client[Symbol.asyncDispose]()
})

async function start(options: Partial<EmbeddedOptions<typeof market>> = {}): Promise<Client<typeof market>> {
  const uses = { outside: { rate: async () => 7 } }
  const client = await embedded({ unit: market, journal: 'memory', uses, ...options })
  open.push(client)
  await client.space.insertAll(
    Price,
    Array.from({ length: 20 }, (_, n) => ({ id: `${n}`, symbol: `s${n % 3}`, price: 100 + n })),
  )
  return client
}

const failure = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

test('[UN4] a service runs beside the partition of its route, with a key of its own for each call', async () => {
  const { services } = await start()
  expect(await services.best({ symbol: 's2' })).toEqual({ price: 102, caller: 'market' })
  expect(await services.best({ symbol: 'none' })).toEqual({ price: undefined, caller: 'market' })
  expect(new Set(keys).size).toBe(2)
})

test('[UN4] it may wait, and has the whole space and the world outside', async () => {
  const { services, space } = await start()
  expect(await services.converted({ symbol: 's1', currency: 'CHF' })).toEqual([7, 7, 20])
  expect(await space.get(Price, { id: 's1 CHF', symbol: 's1' })).toMatchObject({ price: 7 })
})

test('[UN4] with a reducer it runs at all partitions; without route or reducer at one of them, in turn', async () => {
  const { services, partitions } = await start()
  expect(await services.count({ above: 109 })).toBe(10)
  const counts: number[] = []
  for (let at = 0; at < partitions; at++) counts.push(await services.anywhere({}))
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(20)
})

test('[UN4] one that does not return in time is TIMEOUT, its own or its caller’s, and its signal says so', async () => {
  const { services } = await start()
  await expect(services.hang({})).rejects.toEqual(failure('TIMEOUT', { part: 'service hang', timeoutMs: 20 }))
  await expect(services.hang({}, { timeout: '5ms' })).rejects.toEqual(failure('TIMEOUT', { timeoutMs: 5 }))
  expect(signals.map(({ aborted, reason }) => [aborted, reason.code])).toEqual([
    [true, 'TIMEOUT'],
    [true, 'TIMEOUT'],
  ])
  const controller = new AbortController()
  const call = services.hang({}, { signal: controller.signal, timeout: '5s' })
  controller.abort()
  await expect(call).rejects.toEqual(failure('ABORTED'))
})

test('[UN4] what it throws is SERVICE_FAILED and a fault event, errors of the platform come as they are', async () => {
  const events: EmbeddedEvent['event'][] = []
  const { services } = await start({
    development: false,
    onEvent: ({ event }) => void (event.kind === 'fault' && events.push(event)),
  })
  await expect(services.throws({ what: 'defect' })).rejects.toEqual(
    failure('SERVICE_FAILED', { part: 'service throws' }),
  )
  await expect(services.throws({ what: 'defect' })).rejects.not.toThrow('a defect')
  expect(events).toMatchObject([{ part: 'service throws' }, { part: 'service throws' }])
  await expect(services.throws({ what: 'platform' })).rejects.toEqual(failure('ENTRY_MISSING'))
  await expect(services.throws({ what: 'map' })).rejects.toEqual(failure('VALUE_NOT_PLAIN'))
  await expect(services.throws({ what: 1 } as never)).rejects.toEqual(failure('VALUE_INVALID'))
  await expect(services.best({} as never)).rejects.toEqual(failure('VALUE_INVALID'))
})

test('[UN4] what a reducer throws is SERVICE_FAILED too', async () => {
  const { services } = await start()
  await expect(services.broken({ how: '' })).rejects.toEqual(failure('SERVICE_FAILED', { part: 'service broken' }))
})

test('[UN4] closing waits for no service: its signal is aborted, and its caller hears CLOSED', async () => {
  const client = await start()
  const call = client.services.hang({}, { timeout: '1h' })
  call.catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 10))
  await client[Symbol.asyncDispose]()
  await expect(call).rejects.toEqual(failure('CLOSED', { part: 'service hang' }))
  expect(signals.at(-1)?.aborted).toBe(true)
})

test('[UN4] [A8] so many services run at a partition at the same time, and no more', async () => {
  const { services } = await start({ limits: { servicesMax: 2 }, partitions: 1 })
  const hang = () => services.hang({}, { timeout: '50ms' })
  const outcomes = await Promise.allSettled([hang(), hang(), hang()])
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
    'TIMEOUT',
    'TIMEOUT',
    'OVERLOADED',
  ])
  await expect(hang()).rejects.toEqual(failure('TIMEOUT'))
})

test('[UN4] [UN1] its partition works until it has returned, and not after', async () => {
  const { services } = await start()
  expect(await services.throws({ what: 'leak' })).toBe(1)
  expect(leaked).toThrow(failure('HANDLER_FAILED'))
})

test('[UN4] a route and a reducer contradict each other', () => {
  const declaration = { input: z.object({ symbol: z.string() }), route: 'symbol' } as const
  expect(() =>
    service(
      declaration,
      async () => 1,
      (left, right) => left + right,
    ),
  ).toThrow(failure('UNIT_INVALID', { field: 'route' }))
})
