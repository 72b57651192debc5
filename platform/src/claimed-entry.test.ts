import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, unit, worker } from './index.ts'

const Job = entry(
  'job',
  z.object({ id: z.string(), state: z.enum(['new', 'done']), n: z.int(), text: z.string().optional() }),
  { id: 'id' },
)
let seen: unknown
let refused: unknown

const jobs = unit(
  'jobs',
  { entries: [Job] },
  {
    workers: {
      write: worker({ entry: Job, where: { state: 'new', id: 'write' } }, async (job, { tx }) => {
        await Promise.all([tx.change(Job, job, { add: { n: 1 } }), tx.patch(Job, job, { state: 'done', n: 10 })])
      }),
      read: worker({ entry: Job, where: { state: 'new', id: 'read' } }, async (job, { tx }) => {
        const before = tx.get(Job, job)
        await tx.patch(Job, job, { state: 'done' })
        seen = await before
      }),
      large: worker({ entry: Job, where: { state: 'new', id: 'large' } }, async (job, { tx }) => {
        const text = 'x'.repeat(2 << 20)
        await tx
          .patch(Job, job, { state: 'done', text })
          .catch((error: { readonly code: string }) => (refused = error.code))
        await tx.patch(Job, job, { state: 'done', n: 7 })
      }),
    },
  },
)

test('[TX5] what a worker asks for before it patches its entry comes before that, though nobody waits for it', async () => {
  await using client = await embedded({ unit: jobs, journal: 'memory' })
  for (const id of ['write', 'read']) await client.space.insert(Job, { id, state: 'new', n: 0 })
  while ((await client.space.count(Job, { state: 'new' })) > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(await client.space.get(Job, { id: 'write' })).toMatchObject({ n: 10 })
  expect(seen).toMatchObject({ state: 'new' })
})

test('[TX5] a worker hears at once that a patch of its entry is too large, and may do something else', async () => {
  await using client = await embedded({ unit: jobs, journal: 'memory' })
  await client.space.insert(Job, { id: 'large', state: 'new', n: 0 })
  while ((await client.space.count(Job, { state: 'new' })) > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(refused).toBe('VALUE_TOO_LARGE')
  expect(await client.space.get(Job, { id: 'large' })).toMatchObject({ n: 7 })
})
