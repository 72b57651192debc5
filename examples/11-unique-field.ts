// A field that is unique over all partitions: an entry of its own whose id is the value, inserted before the other.
//
// `insert` fails where the key is taken, so that of two who want an address one gets it. Somebody who was cut off in
// between comes again with the same id and goes on; until then the address is theirs, and nobody else has it.
import { embedded, entry, isPlenumError, unit } from 'plenum'
import { z } from 'zod'

const User = entry('user', z.object({ id: z.string(), email: z.string() }), { id: 'id' })
const Email = entry('email', z.object({ email: z.string(), user: z.string() }), { id: 'email' })
const club = unit('club', { entries: [User, Email] }, {})

await using client = await embedded({ unit: club, journal: 'memory' })
const { space } = client

async function join(id: string, email: string): Promise<string> {
  try {
    await space.insert(Email, { email, user: id })
  } catch (error) {
    if (!isPlenumError(error, 'ENTRY_EXISTS')) throw error
    const claim = await space.get(Email, { email })
    if (claim?.user !== id) return `${email} is taken`
  }
  await space.write(User, { id, email })
  return `${id} joined`
}

const outcomes = await Promise.all([join('ann', 'a@example.com'), join('amy', 'a@example.com')])
console.log(outcomes.join('; '))
console.log(`once more: ${await join('ann', 'a@example.com')}`)
console.log(`users: ${await space.count(User, { email: 'a@example.com' })}`)

// Prints:
// ann joined; a@example.com is taken
// once more: ann joined
// users: 1
