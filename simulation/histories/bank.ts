import { PlenumError } from 'plenum'
import { checkBank, type Asked } from 'plenum/testing'
import { Account } from './unit.ts'
import { drawTurn, readManner, type Workload } from './workload.ts'

/** The route on which all accounts lie, and the key under which they are opened, however often that is asked. */
const bankName = 'bank'
const openingKey = 'opening'
const balance = 100

/** Transfers between accounts; no run makes or loses money. */
export const bank: Workload = {
  name: 'bank',
  about: 'transfers by a handler, readings by queries; the total stays, and each reading is explained',
  draw: (random, size) => {
    const accounts = Array.from({ length: 3 + random.integer(6) }, (_, number) => `a${number}`)
    const opened = Object.fromEntries(accounts.map((name) => [name, balance]))
    const turns = Array.from({ length: size.operations }, () => {
      if (random.next() < 0.3) return drawTurn(random, size, { f: 'balances' })
      const from = random.integer(accounts.length)
      const to = (from + 1 + random.integer(accounts.length - 1)) % accounts.length
      // More than there is is refused; amounts that differ tell transfers apart.
      const value = { from: accounts[from]!, to: accounts[to]!, amount: 1 + random.integer(balance) }
      return drawTurn(random, size, { f: 'transfer', value })
    })
    return { opening: [{ f: 'init', value: opened }], turns, closing: [{ f: 'balances' }] }
  },
  perform: async ({ space, handlers }, { f, value }: Asked, manner) => {
    const { timeout } = manner
    switch (f) {
      case 'init':
        await handlers.open({ bank: bankName, balances: value as Record<string, number> }, { key: openingKey })
        return { value }
      case 'transfer': {
        const { from, to, amount } = value as { readonly from: string; readonly to: string; readonly amount: number }
        await handlers.transfer({ bank: bankName, from, to, amount }, { timeout })
        return { value }
      }
      case 'balances': {
        const accounts = await space.readAll(Account, { bank: bankName }, readManner(manner))
        return { value: Object.fromEntries(accounts.map((account) => [account.id, account.balance])) }
      }
      default:
        throw new PlenumError('USAGE', `A bank knows no '${f}'.`)
    }
  },
  check: (history) => {
    const result = checkBank(history)
    if (!result.ok) return result
    const { total, acked, unknown, readings, summed } = result
    const counts = { total, transfers: acked, 'transfers of unknown outcome': unknown, readings, summed }
    return { ok: true, counts }
  },
}
