// A queue: `take` removes an entry and returns it, to one taker only; with `wait` it waits until one comes.
import { embedded, entry, unit } from 'plenum'
import { z } from 'zod'

const Job = entry('job', z.object({ id: z.string(), kind: z.string(), n: z.int() }), { id: 'id', keys: 'uuid7' })
const work = unit('work', { entries: [Job] }, {})

await using client = await embedded({ unit: work, journal: 'memory' })
const { space } = client

const done: number[] = []
const takers = Array.from({ length: 3 }, async () => {
  for (;;) {
    const job = await space.take(Job, { kind: 'resize' }, { wait: '500ms' })
    if (job === undefined) return
    done.push(job.n)
  }
})

for (let n = 1; n <= 9; n++) await space.insert(Job, { kind: 'resize', n })
await Promise.all(takers)

console.log(`each once: ${done.toSorted((a, b) => a - b).join(' ')}`)
console.log(`left: ${await space.count(Job, {})}`)

// Prints:
// each once: 1 2 3 4 5 6 7 8 9
// left: 0
