// A watch follows what matches a query: the present state first, then every commit. A token resumes where one was left.
import { embedded, entry, handler, unit, type Token } from 'plenum'
import { z } from 'zod'

const Seat = entry('seat', z.object({ id: z.string(), hall: z.string(), state: z.enum(['free', 'sold']) }), {
  id: 'id',
  route: 'hall',
})
const Sale = z.object({ hall: z.string(), ids: z.array(z.string()) })
const box = unit(
  'box',
  { entries: [Seat] },
  {
    handlers: {
      sell: handler({ input: Sale, route: 'hall' }, ({ hall, ids }, { partition }) => {
        for (const id of ids) partition.patch(Seat, { id, hall }, { state: 'sold' })
      }),
    },
  },
)

await using client = await embedded({ unit: box, journal: 'memory' })
const { space, handlers } = client
for (const id of ['a1', 'a2', 'a3', 'a4']) await space.insert(Seat, { id, hall: 'blue', state: 'free' })

/** Follows the free seats and prints what happens, until so many changes have been told. */
async function follow(commits: number, since?: Token): Promise<Token | undefined> {
  let token = since
  let left = commits
  for await (const event of space.watch(Seat, { hall: 'blue', state: 'free' }, { since })) {
    if (event.kind === 'reset') continue
    token = event.token
    if (event.kind === 'ready') console.log('ready')
    else console.log(event.changes.map(({ kind, entry }) => `${kind} ${entry.id}`).join(', '))
    if (event.kind === 'changes' && --left === 0) break
  }
  return token
}

const following = follow(2)
await new Promise((resolve) => setTimeout(resolve, 50))
await handlers.sell({ hall: 'blue', ids: ['a1', 'a2'] })
const token = await following
await handlers.sell({ hall: 'blue', ids: ['a4'] })
console.log('and from there:')
await follow(1, token)

// Prints:
// added a1, added a2, added a3, added a4
// ready
// removed a1, removed a2
// and from there:
// removed a4
