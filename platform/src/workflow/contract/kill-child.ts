// Runs orders through a workflow in a folder, and notes each thing that is done outside in a file of its own, until it is
// killed. Started by `kill.test.ts`: node kill-child.ts <folder> <orders>
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { embedded, entry, unit, workflow } from '../../index.ts'

const [, , folder = '', orders = '0'] = process.argv
const note = (line: string): void => appendFileSync(join(folder, 'outside.txt'), `${line}\n`)

const Item = entry('item', z.object({ name: z.string(), left: z.int() }), { id: 'name' })
const fulfil = workflow('fulfil', { input: z.object({ total: z.int() }) }, async ({ total }, { step, sleep }) => {
  await step('pay', ({ key }) => note(`${key} ${total}`), { undo: (_, { key }) => note(`${key} ${total}`) })
  await step('reserve', ({ tx }) => tx.change(Item, { name: 'lamp' }, { add: { left: -1 } }), {
    undo: (_, { tx }) => tx.change(Item, { name: 'lamp' }, { add: { left: 1 } }),
  })
  await sleep('1ms')
  await step('ship', ({ key }) => note(`${key} ${total}`))
  // Every third one is taken back as a whole.
  if (total % 3 === 0) throw new Error('it comes back')
  return total
})
const shop = unit(
  'shop',
  { entries: [Item, ...fulfil.entries] },
  { handlers: fulfil.handlers, workers: fulfil.workers },
)

await using client = await embedded({ unit: shop, folder: join(folder, 'data'), ack: 'os' })
if ((await client.space.get(Item, { name: 'lamp' })) === undefined)
  await client.space.insert(Item, { name: 'lamp', left: 1_000 })
const instances = fulfil.on(client)
process.stdout.write('open\n')
const ends = Array.from({ length: Number(orders) }, async (_, total) => {
  await instances.start(`o${total}`, { total })
  return instances.result(`o${total}`).then(
    () => 1,
    () => 0,
  )
})
const kept: number = (await Promise.all(ends)).reduce((sum: number, one) => sum + one, 0)
const left = (await client.space.get(Item, { name: 'lamp' }))?.left
process.stdout.write(`${JSON.stringify({ kept, left })}\n`)
