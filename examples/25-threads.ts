// Partitions on threads of their own: a task computes on several cores, and a handler that does not return holds up
// nobody else for ever. Threads load the unit from its file, which is this one.
import { embedded, entry, handler, isPlenumError, task, unit } from 'plenum'
import { z } from 'zod'

const Sample = entry('sample', z.object({ n: z.int() }), { id: 'n' })

function isPrime(n: number): boolean {
  for (let by = 2; by * by <= n; by++) if (n % by === 0) return false
  return n > 1
}

const numbers = unit(
  'numbers',
  { entries: [Sample] },
  {
    handlers: {
      add: handler({ input: z.object({ n: z.int() }), route: 'n' }, ({ n }, { partition }) => {
        partition.write(Sample, { n })
      }),
      // Whoever wrote this meant n, not 7.
      halve: handler({ input: z.object({ n: z.int() }), route: 'n' }, ({ n }) => {
        let steps = 0
        for (let left = n; left > 1; left = Math.ceil(7 / 2)) steps += 1
        return steps
      }),
    },
    tasks: {
      primes: task(
        { input: z.object({}) },
        (_, { partition }) => partition.readAll(Sample, {}).filter(({ n }) => isPrime(n)).length,
        (left, right) => left + right,
      ),
    },
  },
)
export default numbers

// In a thread this file is loaded and not run.
if (import.meta.main) {
  await using client = await embedded({
    unit: numbers,
    journal: 'memory',
    threads: 2,
    module: import.meta.url,
    limits: { handlerMsMax: 500 },
    onEvent: ({ event }) => void (event.kind === 'thread-ended' && console.log(`a thread ended: ${event.part}`)),
  })
  await Promise.all(Array.from({ length: 2_000 }, (_, n) => client.handlers.add({ n })))
  console.log('primes:', (await client.tasks.primes({}).total()).value)

  try {
    await client.handlers.halve({ n: 12 })
  } catch (error) {
    if (!isPlenumError(error, 'HANDLER_STUCK')) throw error
    console.log(error.code, 'in', error.details['part'])
  }

  // The thread has begun again from its journal.
  await client.handlers.add({ n: 2_003 })
  console.log('primes:', (await client.tasks.primes({}).total()).value)
}

// Prints:
// primes: 303
// a thread ended: handler halve
// HANDLER_STUCK in handler halve
// primes: 304
