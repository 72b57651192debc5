// The measured unit of `thread-bank.ts`: threads load it from this file.
import { entry, handler, task, unit } from 'plenum'
import { z } from 'zod'

export const Account = entry('account', z.object({ id: z.int(), balance: z.int() }), { id: 'id' })

export default unit(
  'thread-bank',
  { entries: [Account] },
  {
    handlers: {
      // Two reads and two writes, of one account: one command and one record.
      move: handler({ input: z.object({ id: z.int(), by: z.int() }), route: 'id' }, ({ id, by }, { partition }) => {
        for (const amount of [by, 1 - by]) {
          const balance = partition.get(Account, { id })?.balance ?? 0
          partition.patch(Account, { id }, { balance: balance + amount })
        }
      }),
    },
    tasks: {
      /** So many rounds of arithmetic over whole numbers, beside the data of each partition; what comes out is its hash. */
      compute: task(
        { input: z.object({ rounds: z.int() }) },
        ({ rounds }) => {
          let hash = 1
          for (let at = 0; at < rounds; at++) hash = (Math.imul(hash ^ (at & 255), 16_777_619) + (hash >>> 7)) | 0
          return hash
        },
        (left, right) => (Math.imul(left, 31) + right) | 0,
      ),
      sum: task(
        { input: z.object({}) },
        (_, { partition }) => partition.readAll(Account, {}).reduce((sum, { balance }) => sum + balance, 0),
        (left, right) => left + right,
      ),
    },
  },
)
