// A handler runs beside the data as one transaction. It may refuse with a reason that its callers get typed.
import { embedded, entry, handler, isPlenumError, unit } from 'plenum'
import { z } from 'zod'

const Seat = entry('seat', z.object({ show: z.string(), number: z.int(), guest: z.string() }), {
  id: 'number',
  route: 'show',
})

const theatre = unit(
  'theatre',
  { entries: [Seat] },
  {
    handlers: {
      book: handler(
        {
          input: z.object({ show: z.string(), numbers: z.array(z.int()), guest: z.string() }),
          route: 'show',
          refusals: { TAKEN: z.object({ by: z.string(), number: z.int() }) },
        },
        ({ show, numbers, guest }, { partition, refuse }) => {
          for (const number of numbers) {
            const taken = partition.get(Seat, { show, number })
            if (taken !== undefined) throw refuse('TAKEN', { by: taken.guest, number })
            partition.insert(Seat, { show, number, guest })
          }
          return partition.count(Seat, { show })
        },
      ),
    },
  },
)

await using client = await embedded({ unit: theatre, journal: 'memory' })
const { book } = client.handlers

console.log(await book({ show: 'Hamlet', numbers: [1, 2], guest: 'ann' }))

const outcome = await book.attempt({ show: 'Hamlet', numbers: [3, 2], guest: 'bob' })
if (!outcome.ok) console.log(`${outcome.refusal.reason}: ${outcome.refusal.data.by} has ${outcome.refusal.data.number}`)
// Seat 3 was inserted before the refusal, and is free all the same.
console.log(await client.space.count(Seat, { show: 'Hamlet' }))

// Without `attempt` a refusal is an error like any other.
await book({ show: 'Hamlet', numbers: [1], guest: 'eve' }).catch((error: unknown) => {
  if (isPlenumError(error, 'REFUSED')) console.log(error.code, error.details['reason'])
})

// Prints:
// 2
// TAKEN: ann has 2
// 2
// REFUSED TAKEN
