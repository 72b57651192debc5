import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, handler, unit } from './index.ts'

const Log = entry('log', z.object({ id: z.string(), lines: z.array(z.int()) }), { id: 'id' })
const note = handler(
  { input: z.object({ log: z.string(), n: z.int() }), route: 'log' },
  ({ log, n }, { partition }) => {
    const before = partition.get(Log, { id: log })?.lines ?? []
    partition.write(Log, { id: log, lines: [...before, n] })
  },
)
const later = handler(
  { input: z.object({ from: z.string(), count: z.int() }), route: 'from' },
  ({ count }, { send }) => {
    for (let n = 0; n < count; n++) send(note, { log: 'x', n }, { after: '20ms' })
  },
)
const u = unit('later', { entries: [Log] }, { handlers: { note, later } })

test('[UN12] messages that come due at the same time are delivered in the order in which they were sent', async () => {
  await using client = await embedded({ unit: u, journal: 'memory' })
  await client.handlers.later({ from: 'a', count: 20 })
  while ((await client.messages.pending()) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  expect((await client.space.get(Log, { id: 'x' }))?.lines).toEqual([...Array(20).keys()])
})
