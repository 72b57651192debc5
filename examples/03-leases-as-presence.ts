// A lease ends an entry that nobody renews: who is still there says so by writing again.
import { embedded, entry, unit } from 'plenum'
import { z } from 'zod'

const Presence = entry('presence', z.object({ room: z.string(), user: z.string() }), {
  id: 'user',
  route: 'room',
  lease: '2s',
  // Whoever is there says so again after a restart: nothing of it need be journaled.
  durable: false,
})
const chat = unit('chat', { entries: [Presence] }, {})

await using client = await embedded({ unit: chat, journal: 'memory' })
const { space } = client

const here = async (): Promise<string> => {
  const found = await space.readAll(Presence, { room: 'garden' }, { orderBy: { user: 'asc' } })
  return found.map(({ user }) => user).join(', ')
}
const beat = (user: string) => space.write(Presence, { room: 'garden', user })

await beat('ann')
await beat('bob')
console.log(`at first: ${await here()}`)

// Ann's browser goes on beating, Bob's has gone.
const beating = setInterval(() => void beat('ann'), 250)
while ((await here()).includes('bob')) await new Promise((resolve) => setTimeout(resolve, 100))
console.log(`later: ${await here()}`)
clearInterval(beating)

// Prints:
// at first: ann, bob
// later: ann
