import { PlenumError } from 'plenum'
import {
  BankSteps,
  checkBank,
  drawBankProfile,
  requireOk,
  runBankStep,
  type BankCalls,
  type BankStep,
} from 'plenum/testing'
import { Account } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage, type Turn } from './scenario.ts'

/** Transfers between the accounts of branches; no run makes or loses money. */
export const bank: Scenario = scenario<BankStep>({
  name: 'bank',
  about: 'transfers by a handler, readings by queries; the total stays, and each reading is explained',
  isRead: ({ f }) => f === 'balances',
  draw: (random, count) => {
    const steps = new BankSteps(random, drawBankProfile(random))
    const opening = steps.opening()
    return [...opening, ...Array.from({ length: count - opening.length }, () => steps.next())]
  },
  play: async (stage, turns) => {
    const isOpening = ({ step }: Turn<BankStep>): boolean => step.f === 'init'
    // Without a timeout, so that every branch is open for certain before money moves.
    for (const turn of turns.filter(isOpening)) await take({ ...turn, timeout: undefined }, stage.seats[turn.client]!)
    await takeTurns(
      stage,
      turns.filter((turn) => !isOpening(turn)),
      take,
    )
    await stage.world.settle()
    const last = { client: 0, pauseMs: 0, timeout: undefined, step: { f: 'balances', branch: undefined } } as const
    for (const seat of stage.seats) await take(last, seat)
    const { acked, unknown, readings, summed, total } = requireOk('bank', checkBank(stage.recorder.events))
    await checkTotal(stage, total)
    return { transfers: acked, 'transfers of unknown outcome': unknown, readings, 'readings summed': summed }
  },
})

async function take({ step, timeout }: Turn<BankStep>, { unit, recorded }: Seat): Promise<void> {
  const calls: BankCalls = {
    init: (branch, balances) => unit.handlers.openBranch({ branch, balances: { ...balances } }, { timeout }),
    transfer: (branch, from, to, amount) => unit.handlers.transfer({ branch, from, to, amount }, { timeout }),
    balances: async (branch) => {
      const accounts = await unit.space.readAll(Account, branch === undefined ? {} : { branch }, { timeout })
      return Object.fromEntries(accounts.map(({ id, balance }) => [id, balance]))
    },
  }
  await runBankStep(step, calls, recorded)
}

/** The task that adds up beside the data finds the same total, on every client. */
async function checkTotal({ seats, recorder }: Stage, total: number): Promise<void> {
  // An opening that failed for certain is no money; one of unknown outcome could be.
  if (recorder.events.some(({ f, type }) => f === 'init' && type === 'info')) return
  for (const { unit } of seats) {
    const sum = await unit.tasks.money({}).total()
    if (sum.complete && sum.value === total) continue
    const found = sum.complete ? String(sum.value) : 'not complete'
    throw new PlenumError('CHECK_FAILED', `bank: the task's total is ${found}, that of the accounts ${total}.`)
  }
}
