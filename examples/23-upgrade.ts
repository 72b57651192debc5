// A later unit has another schema. What is stored stays; it is read as an upgrade makes it, and if an entry does not fit,
// the later unit does not start, and the earlier one goes on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embedded, entry, isPlenumError, stampOf, unit, upgrade } from 'plenum'
import { z } from 'zod'

const folder = mkdtempSync(join(tmpdir(), 'plenum-upgrade-'))

// Prices are text, as somebody once thought fit.
const Before = z.object({ sku: z.string(), price: z.string(), colour: z.string().optional() })
const Old = entry('product', Before, { id: 'sku' })
{
  await using shop = await embedded({ unit: unit('shop', { entries: [Old] }, {}), folder })
  await shop.space.insert(Old, { sku: 'pen', price: '1.50', colour: 'blue' })
  await shop.space.insert(Old, { sku: 'ink', price: 'ask' })
}

const After = z.object({ sku: z.string(), cents: z.int(), stock: z.int().default(0) })
const cents = (price: string): number => Math.round(Number(price) * 100)

// The first try: 'ask' is no price.
const hasty = upgrade(Before, ({ sku, price }) => ({ sku, cents: cents(price) }), { drops: ['colour'] })
const Hasty = entry('product', After, { id: 'sku', upgrades: [hasty] })
try {
  await embedded({ unit: unit('shop', { entries: [Hasty] }, {}), folder })
} catch (error) {
  if (isPlenumError(error)) console.log(error.code, error.details['key'], error.details['field'])
}

// The second one says what becomes of it.
const New = entry('product', After, {
  id: 'sku',
  indexes: [['cents']],
  upgrades: [
    upgrade(Before, ({ sku, price }) => ({ sku, cents: price === 'ask' ? 0 : cents(price) }), { drops: ['colour'] }),
  ],
})
{
  await using shop = await embedded({ unit: unit('shop', { entries: [New] }, {}), folder })
  const pen = await shop.space.read(New, { cents: { gt: 100 } })
  console.log(pen, pen !== undefined && stampOf(pen) !== undefined)
  console.log(await shop.space.change(New, { sku: 'ink' }, { set: { cents: 90 } }).then(({ version }) => version))
  console.log((await shop.space.readAll(New, {}, { orderBy: { cents: 'asc' } })).map(({ sku }) => sku))
}
rmSync(folder, { recursive: true })

// Prints:
// UPGRADE_REFUSED { sku: 'ink' } cents
// { sku: 'pen', cents: 150, stock: 0 } true
// 2
// [ 'ink', 'pen' ]
