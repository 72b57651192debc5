import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, port, unit, type EmbeddedOptions } from './index.ts'

const Item = entry('item', z.object({ id: z.string() }), { id: 'id' })
const stock = unit('stock', { entries: [Item], uses: { store: port<object>() } }, {})

/** Starts with options that must be refused. */
async function start(options: unknown): Promise<unknown> {
  const client = await embedded(options as EmbeddedOptions<typeof stock>)
  await client[Symbol.asyncDispose]()
  return client
}

const failure = (code: string, details: object) => expect.objectContaining({ code, details })
const usage = (option: string) => failure('USAGE', { option })
const sound = { unit: stock, uses: { store: {} } }

test.each([undefined, {}, { unit: undefined }, { unit: 'stock' }, { unit: { kind: 'unit', name: 'stock', '~': {} } }])(
  '[SP13] %j gives no unit: USAGE names it',
  async (options) => {
    await expect(start(options)).rejects.toEqual(usage('unit'))
  },
)

test.each([
  [{ partitions: 2.5 }, 'partitions'],
  [{ partitions: 1_025 }, 'partitions'],
  [{ journal: 'memory', folder: 'x' }, 'folder'],
  [{ folder: '' }, 'folder'],
  [{ folder: 7 }, 'folder'],
  [{ journal: 'disk' }, 'journal'],
  [{ journal: {} }, 'journal'],
  [{ journal: { folder: 'x', bytesMax: -1 } }, 'bytesMax'],
  [{ limits: { leaseMs: -1 } }, 'leaseMs'],
  [{ limits: { unheard: 1 } }, 'unheard'],
  [{ uses: {} }, 'store'],
  [{ uses: { store: port() } }, 'store'],
])(
  '[SP13] %j contradicts itself, or names what there is not, and is refused before anything opens',
  async (given, option) => {
    await expect(start({ ...sound, ...given })).rejects.toEqual(usage(option))
  },
)

test('[JR6] an ack level that one process cannot give is refused', async () => {
  await expect(start({ ...sound, ack: 'quorum' })).rejects.toEqual(
    failure('ACK_LEVEL_UNAVAILABLE', { asked: 'quorum' }),
  )
})
