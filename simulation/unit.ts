import { entry, handler, port, projection, slotOf, source, task, unit, worker } from 'plenum'
import { z } from 'zod'

/** An account of a branch of a bank; a branch is one route. */
export const Account = entry('account', z.object({ id: z.string(), branch: z.string(), balance: z.int() }), {
  id: 'id',
  route: 'branch',
})

/** One register. */
export const Register = entry('register', z.object({ id: z.string(), value: z.int() }), { id: 'id' })

/** A register that every partition has. */
export const Dial = entry('dial', z.object({ id: z.string(), value: z.int() }), { id: 'id', placement: 'everywhere' })

/** A register that no journal knows of. */
export const Spot = entry('spot', z.object({ id: z.string(), value: z.int() }), { id: 'id', durable: false })

/** One value of a set. */
export const Member = entry('member', z.object({ value: z.int() }), { id: 'value' })

/** What is added up under a caller's key or without one. */
export const Counter = entry('counter', z.object({ id: z.string(), total: z.int() }), { id: 'id' })

/** Something that is held for a while. */
export const Hold = entry('hold', z.object({ id: z.string(), holder: z.int() }), { id: 'id' })

/** Something to be done, in one of several lanes, which are FIFO groups. */
export const Errand = entry('errand', z.object({ id: z.int(), lane: z.string() }), {
  id: 'id',
  route: 'lane',
  fifo: 'lane',
  indexes: [['lane']],
})

/** A list that transactions append to. */
export const List = entry('list', z.object({ id: z.string(), items: z.array(z.int()) }), { id: 'id' })

/** One value of a set that transactions add to; the values of a set lie on all partitions. */
export const Element = entry('element', z.object({ id: z.int(), set: z.string() }), { id: 'id', indexes: [['set']] })

/** A token in one of several pools; a pool is a route, so that a token that changes its pool changes its partition. */
export const Token = entry('token', z.object({ id: z.int(), pool: z.string(), moved: z.int() }), {
  id: 'id',
  route: 'pool',
  indexes: [['moved']],
})

/** Something that a worker does, in one of the lanes of a house, which are FIFO groups; it says what befalls its worker. */
export const Chore = entry(
  'chore',
  z.object({
    id: z.int(),
    house: z.string(),
    lane: z.string(),
    state: z.enum(['new', 'done']),
    /** Changed by somebody else meanwhile. */
    note: z.int(),
    /** The counter that it adds to; none if empty. */
    tally: z.string(),
    takesMs: z.int(),
    /** Attempts that fail. */
    fails: z.int(),
    /** Whether the first attempt does not return. */
    hangs: z.boolean(),
  }),
  { id: 'id', route: 'house', fifo: 'lane', indexes: [['state']] },
)

/** A chore as the world outside gets it. */
export type StoredChore = (typeof Chore)['~']['input']

/** The world outside, where chores are done. */
export interface ChoreDoer {
  do(chore: StoredChore, key: string, attempt: number): Promise<void>
}

/** Attempts at a chore before it is a dead letter. */
export const choreAttempts = 3

/** Money, and what messages have done to it: how many were sent to each other purse, and have come from there. */
export const Purse = entry(
  'purse',
  z.object({
    id: z.string(),
    balance: z.int(),
    /** While it is, pokes fail. */
    isShut: z.boolean(),
    sent: z.record(z.string(), z.int()),
    got: z.record(z.string(), z.int()),
    /** Gifts that came out of their order. */
    astray: z.int(),
    poked: z.array(z.int()),
  }),
  { id: 'id' },
)

/** What was heard of a purse from its projection: how many changes, and how many of them out of their order. */
export const Tally = entry('tally', z.object({ purse: z.string(), changes: z.int(), astray: z.int() }), { id: 'purse' })

const tally = handler(
  { input: z.object({ purse: z.string(), changes: z.int() }), route: 'purse' },
  ({ purse, changes }, { partition }) => {
    const before = partition.get(Tally, { purse })
    const isNext = changes === (before?.changes ?? 0) + 1
    partition.write(Tally, { purse, changes, astray: (before?.astray ?? 0) + (isNext ? 0 : 1) })
  },
)

/** What each purse holds, folded from its changes; puts out and sends each of them, with how many there were. */
export const wealth = projection({
  of: [Purse],
  create: () => new Map<string, { changes: number; balance: number }>(),
  apply(state, { entry: { id, balance } }, { emit, send }) {
    const changes = (state.get(id)?.changes ?? 0) + 1
    state.set(id, { changes, balance })
    emit(id, { changes, balance })
    send(tally, { purse: id, changes })
  },
  save: (state) => [...state],
  load: (saved: [string, { changes: number; balance: number }][]) => new Map(saved),
})

const get = handler(
  { input: z.object({ purse: z.string(), from: z.string(), number: z.int(), amount: z.int() }), route: 'purse' },
  ({ purse, from, number, amount }, { partition }) => {
    const own = partition.get(Purse, { id: purse })
    if (own === undefined) throw new Error(`there is no purse ${purse}`)
    const { got, balance, astray } = own
    const isNext = number === (got[from] ?? 0) + 1
    const fields = { balance: balance + amount, got: { ...got, [from]: number }, astray: astray + (isNext ? 0 : 1) }
    partition.patch(Purse, { id: purse }, fields)
  },
)

const poke = handler(
  { input: z.object({ purse: z.string(), id: z.int() }), route: 'purse', refusals: { SHUT: z.object({}) } },
  ({ purse, id }, { partition, refuse }) => {
    const own = partition.get(Purse, { id: purse })
    if (own === undefined || own.isShut) throw id % 2 === 0 ? refuse('SHUT', {}) : new Error(`${purse} is shut`)
    partition.patch(Purse, { id: purse }, { poked: [...own.poked, id] })
  },
)

/** A row that a source loads. */
export const Line = entry('line', z.object({ id: z.int(), text: z.string() }), { id: 'id' })

/** One line as the source's store has it. */
export type StoredLine = (typeof Line)['~']['input']

/** The store behind the source: all lines of some slots, in batches; it may fail between two of them. */
export interface LineStore {
  read(slots: readonly { readonly from: number; readonly to: number }[]): AsyncIterable<readonly StoredLine[]>
}

/** Whether an id lies in one of the slot ranges that a partition asks for. */
export function liesIn(slots: readonly { readonly from: number; readonly to: number }[], id: number): boolean {
  const slot = slotOf(id)
  return slots.some(({ from, to }) => from <= slot && slot <= to)
}

/** No counter goes beyond it; more is refused. */
export const counterMax = 1_000

const Add = z.object({ counter: z.string(), by: z.int() })

/** Everything that the scenarios use; each uses its own entry types. */
export default unit(
  'simulated',
  {
    entries: [
      Account,
      Register,
      Dial,
      Spot,
      Member,
      Counter,
      Hold,
      Errand,
      List,
      Element,
      Token,
      Chore,
      Purse,
      Tally,
      Line,
    ],
    uses: { lines: port<LineStore>(), chores: port<ChoreDoer>() },
  },
  {
    handlers: {
      get,
      poke,
      tally,
      give: handler(
        { input: z.object({ purse: z.string(), to: z.string(), amount: z.int() }), route: 'purse' },
        ({ purse, to, amount }, { partition, send }) => {
          const own = partition.get(Purse, { id: purse })
          if (own === undefined) throw new Error(`there is no purse ${purse}`)
          const number = (own.sent[to] ?? 0) + 1
          send(get, { purse: to, from: purse, number, amount })
          partition.patch(Purse, { id: purse }, { balance: own.balance - amount, sent: { ...own.sent, [to]: number } })
        },
      ),
      pokeOther: handler(
        { input: z.object({ purse: z.string(), to: z.string(), id: z.int(), afterMs: z.int() }), route: 'purse' },
        ({ to, id, afterMs }, { send }) => send(poke, { purse: to, id }, { after: `${afterMs}ms` }),
      ),
      openBranch: handler(
        { input: z.object({ branch: z.string(), balances: z.record(z.string(), z.int()) }), route: 'branch' },
        ({ branch, balances }, { partition }) => {
          for (const [id, balance] of Object.entries(balances)) partition.insert(Account, { branch, id, balance })
        },
      ),
      transfer: handler(
        {
          input: z.object({ branch: z.string(), from: z.string(), to: z.string(), amount: z.int().positive() }),
          route: 'branch',
          refusals: { TOO_LITTLE: z.object({ missing: z.int() }) },
        },
        ({ branch, from, to, amount }, { partition, refuse }) => {
          const balance = partition.get(Account, { branch, id: from })?.balance ?? 0
          partition.change(Account, { branch, id: from }, { add: { balance: -amount } })
          // Refused after the first half was done, so that undoing has something to undo.
          if (balance < amount) throw refuse('TOO_LITTLE', { missing: amount - balance })
          partition.change(Account, { branch, id: to }, { add: { balance: amount } })
        },
      ),
      add: handler(
        { input: Add, route: 'counter', refusals: { FULL: z.object({ total: z.int() }) } },
        ({ counter, by }, { partition, refuse }) => {
          const before = partition.get(Counter, { id: counter })?.total ?? 0
          if (before + by > counterMax) throw refuse('FULL', { total: before })
          partition.write(Counter, { id: counter, total: before + by })
          return before + by
        },
      ),
      look: handler(
        { input: z.object({ from: z.string(), dial: z.string() }), route: 'from' },
        ({ dial }, { partition }) => partition.get(Dial, { id: dial })?.value ?? null,
      ),
      addAndThrow: handler({ input: Add, route: 'counter' }, ({ counter, by }, { partition }): void => {
        partition.write(Counter, { id: counter, total: counterMax + by })
        throw new Error('a defect of the unit')
      }),
    },
    projections: { wealth },
    tasks: {
      wealth: task(
        { input: z.object({}) },
        (_, { state }) => [...state(wealth)].map(([id, { changes, balance }]) => ({ id, changes, balance })),
        (left, right) => [...left, ...right],
      ),
      money: task(
        { input: z.object({}) },
        (_, { partition }) => partition.readAll(Account, {}).reduce((sum, { balance }) => sum + balance, 0),
        (left, right) => left + right,
      ),
    },
    workers: {
      chores: worker(
        {
          entry: Chore,
          where: { state: 'new' },
          concurrency: 4,
          timeout: '1s',
          retry: { attempts: choreAttempts, backoff: '20ms' },
        },
        async (chore, { tx, uses, key, attempt }) => {
          await uses.chores.do(chore, key, attempt)
          if (chore.tally !== '') await tx.change(Counter, { id: chore.tally }, { add: { total: 1 } })
          await tx.patch(Chore, chore, { state: 'done' })
        },
      ),
    },
    sources: {
      lines: source(Line, { load: ({ slots, uses }) => uses.lines.read(slots) }),
    },
  },
)
