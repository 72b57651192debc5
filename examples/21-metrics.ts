// What an application has counted: plain data, percentiles that join over processes, and the text that Prometheus reads.
import { embedded, entry, handler, mergeMetrics, metricsText, quantile, unit, type Metric } from 'plenum'
import { z } from 'zod'

const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), { id: 'id' })
const Money = z.object({ account: z.string(), amount: z.int().positive() })

const bank = unit(
  'bank',
  { entries: [Account] },
  {
    handlers: {
      deposit: handler({ input: Money, route: 'account' }, ({ account, amount }, { partition }) => {
        const before = partition.get(Account, { id: account })?.balance ?? 0
        partition.write(Account, { id: account, balance: before + amount })
      }),
      withdraw: handler(
        { input: Money, route: 'account', refusals: { TOO_LITTLE: z.object({}) } },
        ({ account, amount }, { partition, refuse }) => {
          if ((partition.get(Account, { id: account })?.balance ?? 0) < amount) throw refuse('TOO_LITTLE', {})
          partition.change(Account, { id: account }, { add: { balance: -amount } })
        },
      ),
    },
  },
)

await using client = await embedded({ unit: bank, journal: 'memory' })
for (let n = 0; n < 100; n++) await client.handlers.deposit({ account: `${n % 10}`, amount: 1 })
for (const amount of [5, 50]) await client.handlers.withdraw.attempt({ account: '7', amount })

const snapshot = client.metrics()
const of = (name: string): Metric | undefined => snapshot.metrics.find((metric) => metric.name === name)

const operations = of('plenum.operations')
if (operations?.kind === 'counter') {
  for (const { labels, value } of operations.series)
    if (labels['plenum.part'] !== undefined) console.log(labels['plenum.part'], labels['plenum.outcome'], value)
}

// As if another process had counted the same: the percentiles of both are those of all 204 calls.
const both = mergeMetrics(snapshot, client.metrics())
const duration = both.metrics.find(({ name }) => name === 'db.client.operation.duration')
if (duration?.kind === 'histogram') {
  const deposits = duration.series.find(({ labels }) => labels['plenum.part'] === 'deposit')!.histogram
  console.log(`${deposits.count} deposits, p99 under a second: ${quantile(deposits, 0.99) < 1}`)
}

const lines = metricsText(snapshot).split('\n')
console.log(lines.find((line) => line.startsWith('plenum_entries{')))

// Prints:
// deposit answered 100
// withdraw answered 1
// withdraw refused 1
// 200 deposits, p99 under a second: true
// plenum_entries{db_collection_name="account"} 10
