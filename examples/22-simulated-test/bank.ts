// A bank whose transfers go from one route to another: a message is a part of the payer's commit, and arrives once.
import { entry, handler, unit, type Client } from 'plenum'
import { z } from 'zod'

export const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), { id: 'id' })

const deposit = handler(
  { input: z.object({ to: z.string(), amount: z.int() }), route: 'to' },
  ({ to, amount }, { partition }) => partition.change(Account, { id: to }, { add: { balance: amount } }),
)
const pay = handler(
  { input: z.object({ from: z.string(), to: z.string(), amount: z.int() }), route: 'from' },
  ({ from, to, amount }, { partition, send }) => {
    partition.change(Account, { id: from }, { add: { balance: -amount } })
    send(deposit, { to, amount })
  },
)

const bank = unit('bank', { entries: [Account] }, { handlers: { deposit, pay } })
export default bank

/** Moves money; rejects where no answer came in time, and then nobody knows yet whether it was moved. */
export async function transfer(client: Client<typeof bank>, from: string, to: string, amount: number): Promise<void> {
  await client.handlers.pay({ from, to, amount }, { timeout: '1s' })
}
