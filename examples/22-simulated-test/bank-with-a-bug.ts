// The same bank, written as one would write it over two tables of a database without transactions. It passes every test in
// which nothing goes wrong.
import { entry, handler, unit, type Client } from 'plenum'
import { z } from 'zod'

export const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), { id: 'id' })

const move = handler(
  { input: z.object({ account: z.string(), amount: z.int() }), route: 'account' },
  ({ account, amount }, { partition }) => partition.change(Account, { id: account }, { add: { balance: amount } }),
)

const bank = unit('bank', { entries: [Account] }, { handlers: { move } })
export default bank

/** The bug: two calls are two commits. When no answer to the first comes in time, the second is never made. */
export async function transfer(client: Client<typeof bank>, from: string, to: string, amount: number): Promise<void> {
  await client.handlers.move({ account: from, amount: -amount }, { timeout: '1s' })
  await client.handlers.move({ account: to, amount }, { timeout: '1s' })
}
