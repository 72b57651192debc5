import { entry, handler, port, unit, worker } from 'plenum'
import { z } from 'zod'

/** One register. */
export const Register = entry('register', z.object({ id: z.string(), value: z.int() }), { id: 'id' })

/** One value of a set. */
export const Member = entry('member', z.object({ value: z.int() }), { id: 'value' })

/** An account; all accounts of a bank lie on one route, so that a reading of them is of one instant. */
export const Account = entry('account', z.object({ bank: z.string(), id: z.string(), balance: z.int() }), {
  id: 'id',
  route: 'bank',
})

/** Something to be done; each queue lies on a route of its own and is one FIFO group. */
export const Job = entry('job', z.object({ id: z.int(), queue: z.string() }), {
  id: 'id',
  route: 'queue',
  fifo: 'queue',
})

/** Something to be delivered by a worker; its group is a FIFO group on a route of its own. */
export const Letter = entry(
  'letter',
  z.object({ id: z.int(), group: z.string(), state: z.enum(['new', 'done']), fails: z.int() }),
  { id: 'id', route: 'group', fifo: 'group', indexes: [['state']] },
)

/** Attempts at a letter before it is a dead letter. */
export const letterAttempts = 3

/** Where a worker's function says when it begins and ends: with whoever records, who is not killed. */
export interface Witness {
  /** Answered with what names this run of the function. */
  begin(id: number, group: string): Promise<number>
  end(run: number, how: 'ok' | 'fail'): Promise<void>
}

/** A list that transactions append to; lists lie on all partitions. */
export const List = entry('list', z.object({ id: z.string(), items: z.array(z.int()) }), { id: 'id' })

/** A note on a shelf, which is its route; it carries its version, because a watch does not tell it. */
export const Note = entry(
  'note',
  z.object({ id: z.string(), shelf: z.string(), status: z.enum(['open', 'shut']), value: z.int(), version: z.int() }),
  { id: 'id', route: 'shelf' },
)

const Noting = z.object({
  shelf: z.string(),
  notes: z.array(
    z.object({
      key: z.string(),
      status: z.enum(['open', 'shut']),
      value: z.int(),
      leaseMs: z.int().positive().optional(),
    }),
  ),
})
const Swap = z.object({ id: z.string(), old: z.int(), value: z.int() })
const Opening = z.object({ bank: z.string(), balances: z.record(z.string(), z.int()) })
const Transfer = z.object({ bank: z.string(), from: z.string(), to: z.string(), amount: z.int().positive() })

/** Everything that the workloads of histories use; each uses its own entry type. */
export default unit(
  'histories',
  { entries: [Register, Member, Account, Job, Letter, List, Note], uses: { witness: port<Witness>() } },
  {
    handlers: {
      /** Compares and sets; one request, so that its repetition gets the first answer. */
      swap: handler(
        { input: Swap, route: 'id', refusals: { MISMATCH: z.object({ found: z.int().nullable() }) } },
        ({ id, old, value }, { partition, refuse }) => {
          const found = partition.get(Register, { id })?.value
          if (found !== old) throw refuse('MISMATCH', { found: found ?? null })
          return partition.patch(Register, { id }, { value }).version
        },
      ),
      /** Removes a register and tells what it held, null if there was none. */
      take: handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, { partition }) => {
        const found = partition.get(Register, { id })
        if (found !== undefined) partition.remove(Register, { id })
        return found?.value ?? null
      }),
      /** Writes notes in one commit and tells their versions. */
      note: handler({ input: Noting, route: 'shelf' }, ({ shelf, notes }, { partition }) =>
        notes.map(({ key: id, status, value, leaseMs }) => {
          const version = (partition.get(Note, { shelf, id })?.version ?? 0) + 1
          const lease = leaseMs === undefined ? undefined : (`${leaseMs}ms` as const)
          const written = partition.write(Note, { id, shelf, status, value, version }, { lease })
          // A write keeps the lease that was there.
          if (lease === undefined) partition.renew(Note, { shelf, id }, 'forever')
          return written.version
        }),
      ),
      open: handler({ input: Opening, route: 'bank' }, ({ bank, balances }, { partition }) => {
        for (const [id, balance] of Object.entries(balances)) partition.insert(Account, { bank, id, balance })
      }),
      transfer: handler(
        { input: Transfer, route: 'bank', refusals: { TOO_LITTLE: z.object({ missing: z.int() }) } },
        ({ bank, from, to, amount }, { partition, refuse }) => {
          const balance = partition.get(Account, { bank, id: from })?.balance ?? 0
          partition.change(Account, { bank, id: from }, { add: { balance: -amount } })
          // Refused after the first half was done, so that undoing has something to undo.
          if (balance < amount) throw refuse('TOO_LITTLE', { missing: amount - balance })
          partition.change(Account, { bank, id: to }, { add: { balance: amount } })
        },
      ),
    },
    workers: {
      deliver: worker(
        {
          entry: Letter,
          where: { state: 'new' },
          concurrency: 8,
          timeout: '2s',
          retry: { attempts: letterAttempts, backoff: '5ms' },
        },
        async ({ id, group, fails }, { tx, uses, attempt }) => {
          const run = await uses.witness.begin(id, group)
          await tx.patch(Letter, { id, group }, { state: 'done' })
          await uses.witness.end(run, attempt <= fails ? 'fail' : 'ok')
          if (attempt <= fails) throw new Error(`attempt ${attempt} at letter ${id} fails`)
        },
      ),
    },
  },
)
