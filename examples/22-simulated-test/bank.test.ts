import { expect, test } from 'vitest'
import { simulate } from 'plenum/testing'
import bank, { Account, transfer } from './bank.ts'

test('no transfer makes or loses money', () =>
  simulate(bank, { runs: 5, faults: 'all' }, async ({ client, settle, sleep }) => {
    for (const id of ['ann', 'bob']) await client.space.insert(Account, { id, balance: 1_000 })
    for (let n = 1; n <= 30; n++) await transfer(client, 'ann', 'bob', n).catch(() => 'nobody knows')
    await settle()
    while ((await client.messages.pending()) > 0) await sleep('1s')
    const accounts = await client.space.readAll(Account, {})
    expect(accounts.reduce((sum, { balance }) => sum + balance, 0)).toBe(2_000)
  }))
