// For a test: how long single transfers and groups take on an embedded peer that was idle before, in milliseconds.
import { openLmdbStore } from './lmdb-bank.ts'
import { openSqliteStore } from './sqlite-bank.ts'

const [name, folder = ''] = process.argv.slice(2)
const idleMs = 250

const store = await (name === 'lmdb' ? openLmdbStore : openSqliteStore)({ accounts: 1_000, folder })
const took: number[] = []
for (const together of [1, 64, 1, 64]) {
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  const asked = performance.now()
  await Promise.race(Array.from({ length: together }, (_, at) => store.transfer(at, at + 1)))
  took.push(performance.now() - asked)
}
process.stdout.write(JSON.stringify(took))
await store.close()
