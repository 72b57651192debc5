// A message goes to a handler on another route: it is sent with the commit, and delivered once and in order. What is
// refused is a dead letter, until somebody sends it back.
import { embedded, entry, handler, unit } from 'plenum'
import { z } from 'zod'

const Feed = entry('feed', z.object({ reader: z.string(), posts: z.array(z.string()) }), { id: 'reader' })
const Author = entry('author', z.object({ name: z.string(), readers: z.array(z.string()), count: z.int() }), {
  id: 'name',
})

const show = handler(
  { input: z.object({ reader: z.string(), post: z.string() }), route: 'reader', refusals: { NO_FEED: z.object({}) } },
  ({ reader, post }, { partition, refuse }) => {
    if (partition.get(Feed, { reader }) === undefined) throw refuse('NO_FEED', {})
    partition.change(Feed, { reader }, { push: { posts: post } })
  },
)
const publish = handler(
  { input: z.object({ author: z.string(), post: z.string() }), route: 'author' },
  ({ author, post }, { partition, send }) => {
    const readers = partition.get(Author, { name: author })?.readers ?? []
    for (const reader of readers) send(show, { reader, post })
    partition.change(Author, { name: author }, { add: { count: 1 } })
  },
)
const remind = handler(
  { input: z.object({ author: z.string(), post: z.string() }), route: 'author' },
  ({ author, post }, { send }) => send(publish, { author, post: `again: ${post}` }, { after: '200ms' }),
)
const feeds = unit('feeds', { entries: [Feed, Author] }, { handlers: { show, publish, remind } })

await using client = await embedded({ unit: feeds, journal: 'memory' })
const { space, handlers, messages } = client

/** Resolves when all messages are delivered, or dead letters. */
async function delivered(): Promise<void> {
  while ((await messages.pending()) > 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

await space.write(Author, { name: 'ann', readers: ['bob', 'cem', 'dan'], count: 0 })
for (const reader of ['bob', 'cem']) await space.write(Feed, { reader, posts: [] })

for (const post of ['one', 'two']) await handlers.publish({ author: 'ann', post })
await handlers.remind({ author: 'ann', post: 'one' })
await delivered()
for (const { reader, posts } of await space.readAll(Feed, {}, { orderBy: { reader: 'asc' } }))
  console.log(`${reader}: ${posts.join(', ')}`)

const letters = await messages.deadLetters()
console.log(`dead: ${letters.length}, ${letters[0]?.handler}: ${letters[0]?.errors.at(-1)?.message}`)

await space.write(Feed, { reader: 'dan', posts: [] })
console.log(`sent back: ${await messages.sendBack()}`)
await delivered()
console.log(`dan: ${(await space.get(Feed, { reader: 'dan' }))?.posts.length} posts`)

// Prints:
// bob: one, two, again: one
// cem: one, two, again: one
// dead: 3, show: REFUSED: The handler refused: NO_FEED.
// sent back: 3
// dan: 3 posts
