// A schedule runs once for each due time of its cron expression. What fails is tried again under the same key, so that
// the world outside can tell that it is the same run.
import { embedded, entry, port, schedule, unit } from 'plenum'
import { z } from 'zod'

interface Post {
  send(text: string, key: string): void
}

const Guest = entry('guest', z.object({ name: z.string() }), { id: 'name' })
const hotel = unit(
  'hotel',
  { entries: [Guest], uses: { post: port<Post>() } },
  {
    schedules: {
      // Every second here; '0 7 * * *' is each morning at seven, whatever happens to the clock that night.
      breakfast: schedule(
        { cron: '* * * * * *', zone: 'Europe/Zurich', missed: 'skip', retry: { attempts: 3, backoff: '1ms' } },
        async ({ late }, { space, uses, key }) => {
          const guests = await space.count(Guest, {})
          uses.post.send(`breakfast for ${guests}, ${late < 60_000 ? 'in time' : 'late'}`, key)
        },
      ),
    },
  },
)

const keys: string[] = []
const isSent = Promise.withResolvers<void>()
const post: Post = {
  send(text, key) {
    if (keys.length === 2) return
    keys.push(key)
    console.log(text)
    if (keys.length === 1) throw new Error('no paper')
    isSent.resolve()
  },
}

await using client = await embedded({
  unit: hotel,
  journal: 'memory',
  uses: { post },
  onEvent: ({ event }) => void (event.kind === 'fault' && console.log(`the ${event.part} will try again`)),
})
for (const name of ['ann', 'bob', 'cem']) await client.space.write(Guest, { name })
await isSent.promise

const [first, second] = keys
console.log(first === second, first?.replace(/\d+$/, '<due time>'))
console.log('dead letters:', (await client.schedules.breakfast.deadLetters()).length)

// Prints:
// breakfast for 3, in time
// the schedule breakfast will try again
// breakfast for 3, in time
// true hotel/breakfast/<due time>
// dead letters: 0
