import { expect, test } from 'vitest'
import { z } from 'zod'
import { simulate } from '../testing/simulate.ts'
import { entry } from '../space/index.ts'
import { unit } from '../unit/index.ts'
import { RecentCalls } from './recent-calls.ts'

test('[A8] a call is new once, for each client, and those of long ago are forgotten', () => {
  const recent = new RecentCalls()
  expect([recent.isNew('a', 1), recent.isNew('a', 1), recent.isNew('b', 1)]).toEqual([true, false, true])
  for (let call = 2; call <= 2_000; call++) expect(recent.isNew('a', call)).toBe(true)
  expect(recent.isNew('a', 2_000)).toBe(false)
  expect(recent.isNew('a', 1)).toBe(true)
})

const Item = entry('item', z.object({ id: z.string() }), { id: 'id' })
const items = unit('items', { entries: [Item] }, { handlers: {} })

test('[SP13] of two copies of one request, none is refused while the other runs', async () => {
  let doubled = 0
  for (let seed = 1; seed <= 12; seed++) {
    const limits = { inboxRequestsMax: 1, heldRepliesMax: 1 }
    const { faults } = await simulate(items, { seed, faults: 'all', members: 1, limits }, async ({ client }) => {
      const refused: string[] = []
      const insert = (id: string): Promise<unknown> =>
        client.space.insert(Item, { id }, { timeout: '50ms' }).catch((error: { readonly code: string }) => {
          if (error.code === 'OVERLOADED') refused.push(id)
        })
      await Promise.all(Array.from({ length: 60 }, (_, at) => insert(String(at))))
      const there = new Set((await client.space.readAll(Item, {})).map(({ id }) => id))
      expect(refused.filter((id) => there.has(id))).toEqual([])
    })
    doubled += faults['message doubled'] ?? 0
  }
  expect(doubled).toBeGreaterThan(0)
})
