// A stamp says which change made an entry what it is. A change with `ifStamp` fails if another one came first.
import { embedded, entry, isPlenumError, stampOf, unit } from 'plenum'
import { z } from 'zod'

const Page = entry('page', z.object({ path: z.string(), lines: z.array(z.string()) }), { id: 'path' })
const wiki = unit('wiki', { entries: [Page] }, {})

await using client = await embedded({ unit: wiki, journal: 'memory' })
const { space } = client
await space.insert(Page, { path: '/start', lines: ['Welcome.'] })

/** Adds a line to what the page is now; decides anew if somebody was faster. */
async function addLine(line: string, read = space.get(Page, { path: '/start' })): Promise<void> {
  const page = await read
  if (page === undefined) return
  try {
    await space.patch(Page, { path: '/start' }, { lines: [...page.lines, line] }, { ifStamp: stampOf(page) })
  } catch (error) {
    if (!isPlenumError(error, 'STAMP_CONFLICT')) throw error
    console.log(`'${line}' came too late and tries again`)
    await addLine(line)
  }
}

// Both have read the same page before either changes it.
const read = space.get(Page, { path: '/start' })
await addLine('Ann was here.', read)
await addLine('Bob was here.', read)
console.log((await space.get(Page, { path: '/start' }))?.lines)

// Prints:
// 'Bob was here.' came too late and tries again
// [ 'Welcome.', 'Ann was here.', 'Bob was here.' ]
