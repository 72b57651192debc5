import { isPlenumError, type Duration } from 'plenum'
import {
  checkTransactions,
  requireOk,
  TransactionSteps,
  type MicroOperation,
  type TransactionStep,
} from 'plenum/testing'
import { Element, List } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Turn } from './scenario.ts'

/** What the steps of a transaction are done with: the transaction, or the space itself. */
type Doing = Pick<Seat['unit']['space'], 'get' | 'change' | 'insert' | 'readAll'>

/** Runs of a transaction before its conflict is told: few, so that some are. */
const attempts = 5

/** Transactions over lists and sets on all partitions, beside single operations on the same lists. */
export const transactions: Scenario = scenario<TransactionStep>({
  name: 'transactions',
  about: 'transactions over several partitions that append, add and read; strictly serializable, phantoms included',
  isRead: ({ steps }) => steps.every(([f]) => f === 'r' || f === 'members'),
  limits: (random) => ({ changeRingMax: [8, 100, 10_000][random.integer(3)]! }),
  draw: (random, count) => {
    const steps = new TransactionSteps(random, { lists: 1 + random.integer(8), sets: 1 + random.integer(3) })
    return Array.from({ length: count }, () => steps.next())
  },
  play: async (stage, turns) => {
    const keys = (of: readonly string[]): readonly string[] => {
      const all = turns.flatMap(({ step }) => step.steps).filter(([f]) => of.includes(f))
      return [...new Set(all.map(([, key]) => key))]
    }
    const lists = keys(['append', 'r'])
    const [first] = stage.seats
    for (const id of lists) await first!.unit.space.insert(List, { id, items: [] }, { key: `open ${id}` })
    await takeTurns(stage, turns, (turn, seat) => take(turn, seat))
    await stage.world.settle()
    const last: readonly MicroOperation[] = [
      ...lists.map((key) => ['r', key, null] as const),
      ...keys(['add', 'members']).map((key) => ['members', key, null] as const),
    ]
    for (const seat of stage.seats) await run({ alone: false, steps: last }, undefined, seat, 1_000)
    const checked = requireOk('transactions', checkTransactions(stage.recorder.events))
    const { transactions: count, unknown, conflicts, reads, edges } = checked
    return { transactions: count, 'of unknown outcome': unknown, 'conflicts told': conflicts, reads, edges }
  },
})

async function take({ step, timeout }: Turn<TransactionStep>, seat: Seat): Promise<void> {
  try {
    await run(step, timeout, seat, attempts)
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}

async function run(
  { alone, steps }: TransactionStep,
  timeout: Duration | undefined,
  { unit, recorded }: Seat,
  most: number,
): Promise<void> {
  await recorded.run({ f: 'txn', value: steps }, () =>
    alone
      ? doAll(steps, unit.space, timeout)
      : unit.space.transaction((tx) => doAll(steps, tx, undefined), { timeout, attempts: most }),
  )
}

async function doAll(
  steps: readonly MicroOperation[],
  space: Doing,
  timeout: Duration | undefined,
): Promise<readonly MicroOperation[]> {
  const done: MicroOperation[] = []
  for (const step of steps) done.push(await doOne(step, space, timeout))
  return done
}

async function doOne(step: MicroOperation, space: Doing, timeout: Duration | undefined): Promise<MicroOperation> {
  const [f, key, value] = step
  switch (f) {
    case 'append':
      await space.change(List, { id: key }, { push: { items: value } }, { timeout })
      return step
    case 'add':
      await space.insert(Element, { id: value, set: key }, { timeout })
      return step
    case 'r':
      return [f, key, (await space.get(List, { id: key }, { timeout }))?.items ?? []]
    case 'members': {
      const found = await space.readAll(Element, { set: key }, { timeout })
      return [f, key, found.map(({ id }) => id).toSorted((a, b) => a - b)]
    }
  }
}
