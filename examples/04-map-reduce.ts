// A task works on all partitions beside their entries; what travels is the outcome, not the entries.
import { embedded, entry, task, unit } from 'plenum'
import { z } from 'zod'

const Reading = entry('reading', z.object({ sensor: z.string(), hour: z.int(), celsius: z.number() }), {
  id: 'hour',
  route: 'sensor',
})

const weather = unit(
  'weather',
  { entries: [Reading] },
  {
    tasks: {
      range: task(
        { input: z.object({ from: z.int() }) },
        ({ from }, { partition }) => {
          const degrees = partition.readAll(Reading, { hour: { gte: from } }).map(({ celsius }) => celsius)
          return { count: degrees.length, low: Math.min(...degrees, 99), high: Math.max(...degrees, -99) }
        },
        (a, b) => ({ count: a.count + b.count, low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) }),
      ),
    },
  },
)

await using client = await embedded({ unit: weather, journal: 'memory', partitions: 8 })

const readings = Array.from({ length: 2_400 }, (_, n) => {
  const hour = Math.floor(n / 100)
  return { sensor: `sensor-${n % 100}`, hour, celsius: 10 + 8 * Math.sin(hour / 4) + (n % 100) / 10 }
})
const outcomes = await client.space.writeAll(Reading, readings)
console.log(`${outcomes.filter(({ ok }) => ok).length} readings on ${client.partitions} partitions`)

const parts = new Set<number>()
for await (const { partition, part } of client.tasks.range({ from: 12 })) if (part.count > 0) parts.add(partition)
console.log(`from noon on, ${parts.size} partitions had some`)

const total = await client.tasks.range({ from: 12 }).total()
if (total.complete)
  console.log(`${total.value.count} of them, ${total.value.low.toFixed(1)} to ${total.value.high.toFixed(1)} °C`)

// Prints:
// 2400 readings on 8 partitions
// from noon on, 8 partitions had some
// 1200 of them, 2.0 to 21.0 °C
