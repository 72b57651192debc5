// A transaction reads and changes entries of any partitions, all or nothing. A conflict runs its function again.
import { embedded, entry, unit } from 'plenum'
import { z } from 'zod'

const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), { id: 'id' })
const bank = unit('bank', { entries: [Account] }, {})

await using client = await embedded({ unit: bank, journal: 'memory' })
const { space } = client
for (const id of ['ann', 'bob', 'cid']) await space.insert(Account, { id, balance: 100 })

/** Moves money, if there is enough. */
async function transfer(from: string, to: string, amount: number): Promise<void> {
  await space.transaction(async (tx) => {
    const payer = await tx.get(Account, { id: from })
    if (payer === undefined || payer.balance < amount) throw new Error(`${from} has too little`)
    await tx.change(Account, { id: from }, { add: { balance: -amount } })
    await tx.change(Account, { id: to }, { add: { balance: amount } })
  })
}

// All at once: each sees the others whole or not at all.
await Promise.all([transfer('ann', 'bob', 30), transfer('bob', 'cid', 20), transfer('cid', 'ann', 10)])
await transfer('ann', 'bob', 500).catch((error: Error) => console.log(error.message))
for (const { id, balance } of await space.readAll(Account, {}, { orderBy: { id: 'asc' } })) console.log(id, balance)

// Prints:
// ann has too little
// ann 80
// bob 110
// cid 110
