// A space holds typed entries. What is read is frozen; a query is a value by example, with operators.
import { embedded, entry, unit } from 'plenum'
import { z } from 'zod'

const Book = entry(
  'book',
  z.object({
    id: z.string(),
    title: z.string(),
    year: z.int(),
    tags: z.array(z.string()),
    shelf: z.string().optional(),
  }),
  { id: 'id' },
)
const library = unit('library', { entries: [Book] }, {})

await using client = await embedded({ unit: library, journal: 'memory' })
const { space } = client

await space.insert(Book, { id: 'sicp', title: 'Structure and Interpretation', year: 1985, tags: ['lisp', 'classic'] })
await space.insert(Book, { id: 'aosd', title: 'The Architecture of Open Source', year: 2011, tags: ['design'] })
await space.insert(Book, { id: 'taocp', title: 'The Art of Computer Programming', year: 1968, tags: ['classic'] })

console.log((await space.get(Book, { id: 'sicp' }))?.title)

const { version } = await space.patch(Book, { id: 'sicp' }, { shelf: 'B2' })
console.log(`version ${version}, frozen: ${Object.isFrozen(await space.get(Book, { id: 'sicp' }))}`)

const classics = { tags: { contains: 'classic' }, year: { lt: 2000 } }
console.log(await space.readAll(Book, classics, { select: ['id', 'year'], orderBy: { year: 'asc' } }))

await space.remove(Book, { id: 'taocp' })
console.log(await space.count(Book, classics))

// Prints:
// Structure and Interpretation
// version 2, frozen: true
// [ { id: 'taocp', year: 1968 }, { id: 'sicp', year: 1985 } ]
// 1
