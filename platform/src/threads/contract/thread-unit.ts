// The unit of the tests on threads: they load it from this file.
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { entry, handler, port, schedule, service, task, unit, worker } from '../../index.ts'

export const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), {
  id: 'id',
  indexes: [['balance']],
})
export const Thing = entry(
  'thing',
  z.object({
    id: z.string(),
    big: z.int64(),
    raw: z.instanceof(Uint8Array),
    note: z.string().optional(),
    tags: z.array(z.string()),
  }),
  { id: 'id' },
)
export const Job = entry('job', z.object({ id: z.string(), done: z.boolean() }), { id: 'id' })

const Of = z.object({ id: z.string() })
const Money = Of.extend({ amount: z.int() })

const receive = handler({ input: Money, route: 'id' }, ({ id, amount }, { partition }) => {
  const account = partition.get(Account, { id })
  partition.write(Account, { id, balance: (account?.balance ?? 0) + amount })
})

/** What the unit's services use in a thread. */
export const uses = { greeting: (name: string): string => `hello ${name}` }

export default unit(
  'threaded',
  { entries: [Account, Thing, Job], uses: { greeting: port<typeof uses.greeting>() } },
  {
    handlers: {
      receive,
      deposit: handler({ input: Money, route: 'id', refusals: { NEGATIVE: Money } }, (money, { partition, refuse }) => {
        if (money.amount < 0) throw refuse('NEGATIVE', money)
        const account = partition.get(Account, { id: money.id })
        partition.write(Account, { id: money.id, balance: (account?.balance ?? 0) + money.amount })
        return { balance: (account?.balance ?? 0) + money.amount, before: account, nothing: undefined }
      }),
      pass: handler(
        { input: Money.extend({ to: z.string() }), route: 'id' },
        ({ id, to, amount }, { partition, send }) => {
          const account = partition.get(Account, { id })
          partition.write(Account, { id, balance: (account?.balance ?? 0) - amount })
          send(receive, { id: to, amount })
        },
      ),
      fail: handler({ input: Of, route: 'id' }, ({ id }) => {
        throw new TypeError(`no ${id}`)
      }),
      date: handler({ input: Of, route: 'id' }, () => Date.now()),
      // Returns when there is such a file.
      waitFor: handler({ input: Of.extend({ file: z.string() }), route: 'id' }, ({ file }) => {
        while (!existsSync(file));
      }),
      loop: handler({ input: Of, route: 'id' }, () => {
        for (;;);
      }),
      exit: handler({ input: Of, route: 'id' }, () => process.exit(3)),
    },
    workers: {
      work: worker({ entry: Job, where: { done: false } }, async (job, { tx, uses: { greeting } }) => {
        await tx.patch(Job, job, { done: greeting(job.id) !== '' })
      }),
    },
    services: {
      look: service({ input: Of, route: 'id' }, async ({ id }, { partition, space, uses: { greeting } }) => ({
        said: greeting(id),
        here: partition.get(Account, { id }),
        all: await space.aggregate(Account, {}, { sum: ['balance'] }),
      })),
      crash: service({ input: Of, route: 'id' }, async () => {
        setTimeout(() => {
          throw new Error('nobody catches this')
        })
        return new Promise<string>(() => {})
      }),
      hang: service({ input: Of, route: 'id' }, async () => {
        for (;;);
      }),
    },
    tasks: {
      sum: task(
        { input: z.object({}) },
        (_, { partition }) => partition.readAll(Account, {}).reduce((sum, { balance }) => sum + balance, 0),
        (left, right) => left + right,
      ),
      exit: task({ input: z.object({}) }, (): number => process.exit(4), Math.max),
    },
    schedules: { yearly: schedule({ cron: '0 0 1 1 *', zone: 'Europe/Zurich' }, async () => {}) },
  },
)
