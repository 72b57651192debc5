import { entry, handler, task, unit, type Client, type Key } from 'plenum'
import { z } from 'zod'

/** An account of a customer; all accounts of a customer are on one route. */
export const Account = entry('account', z.object({ id: z.int(), customer: z.int(), balance: z.int() }), {
  id: 'id',
  route: 'customer',
})

export type AccountKey = Key<typeof Account>

const Transfer = z.object({ customer: z.int(), from: z.int(), to: z.int(), amount: z.int().positive() })

/** The measured unit. `keys` are what the task `gets` looks up: made beforehand, so that it measures nothing else. */
export function bankUnit(keys: readonly AccountKey[]) {
  return unit(
    'bank',
    { entries: [Account] },
    {
      handlers: {
        transfer: handler(
          {
            input: Transfer,
            route: 'customer',
            refusals: { UNKNOWN_ACCOUNT: z.object({}), INSUFFICIENT_FUNDS: z.object({ missing: z.int() }) },
          },
          ({ customer, from, to, amount }, { partition, refuse }) => {
            const payer = partition.get(Account, { id: from, customer })
            const payee = partition.get(Account, { id: to, customer })
            if (payer === undefined || payee === undefined) throw refuse('UNKNOWN_ACCOUNT', {})
            if (payer.balance < amount) throw refuse('INSUFFICIENT_FUNDS', { missing: amount - payer.balance })
            partition.patch(Account, payer, { balance: payer.balance - amount })
            partition.patch(Account, payee, { balance: payee.balance + amount })
          },
        ),
      },
      tasks: {
        gets: task(
          { input: z.object({ count: z.int() }) },
          ({ count }, { partition }) => {
            let sum = 0
            for (let at = 0; at < count; at++) sum += partition.get(Account, keys[at % keys.length]!)?.balance ?? 0
            return sum
          },
          (left, right) => left + right,
        ),
      },
    },
  )
}

export type BankClient = Client<ReturnType<typeof bankUnit>>
