// A unit under development, edited while callers go on: a process of its own, because files are loaded anew by Node's own
// loader. Prints what happened as JSON.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { develop, isPlenumError, type Client, type DevelopEvent, type Unit } from '../../index.ts'

const [home = ''] = process.argv.slice(2)
const file = join(home, 'unit', 'shop.ts')
const rates = join(home, 'unit', 'rates.ts')
const extra = join(home, 'unit', 'extra.ts')

/** What the file says; the parts may be said in another way. */
function shop(
  parts: { readonly id?: string; readonly fields?: string; readonly handlers?: string; readonly imports?: string } = {},
): string {
  const { id = 'id', fields = '', handlers = '', imports = '' } = parts
  return `import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
import { entry, handler, service, unit, worker } from ${JSON.stringify(new URL('../../index.ts', import.meta.url).href)}
import { factor } from './rates.ts'
${imports}
const Item = entry('item', z.object({ id: z.string(), n: z.int(), key: z.string()${fields} }), { id: '${id}' })
const Job = entry('job', z.object({ id: z.string(), by: z.int() }), { id: 'id' })
const Of = z.object({ id: z.string() })
export default unit('shop', { entries: [Item, Job] }, {
  handlers: {
    add: handler({ input: Of, route: 'id' }, ({ id }, { partition }) => {
      const n = (partition.get(Item, { id, key: '' })?.n ?? 0) + 1
      partition.write(Item, { id, n, key: '' })
      return { n, factor }
    }),
    ${handlers}
  },
  workers: { work: worker({ entry: Job, where: { by: 0 } }, async (job, { tx }) => void (await tx.patch(Job, job, { by: factor }))) },
  services: { slow: service({ input: Of, route: 'id' }, async () => { await new Promise((done) => setTimeout(done, 30)); return factor }) },
})
`
}

type Loose = Record<string, (...given: readonly unknown[]) => Promise<unknown>>
interface Answer {
  readonly n: number
  readonly factor: number
}

mkdirSync(join(home, 'unit'))
writeFileSync(rates, 'export const factor = 1\n')
writeFileSync(file, shop())

const told: DevelopEvent[] = []
let wake = (): void => {}
await using development = await develop<Unit>({
  unit: pathToFileURL(file),
  folder: join(home, 'data'),
  partitions: 2,
  onEvent({ event }) {
    told.push(event)
    wake()
  },
})
const client: Client<Unit> = development.client
const handlers = (): Loose => client.handlers as unknown as Loose
const space = client.space as unknown as Loose & {
  watch(...given: readonly unknown[]): AsyncIterable<{
    readonly kind: string
    readonly changes?: readonly { readonly entry: Answer & { readonly id: string } }[]
  }>
}

const failed: string[] = []
const factors = new Set<number>()
const counts = [0, 0, 0]
let isOver = false
const lines = counts.map(async (_, line) => {
  while (!isOver) {
    try {
      const { n, factor } = (await handlers()['add']!({ id: `i${line}` })) as Answer
      if (n !== counts[line]! + 1) failed.push(`line ${line}: ${n} after ${counts[line]}`)
      counts[line] = n
      factors.add(factor)
    } catch (error) {
      failed.push(String(error))
    }
  }
})
lines.push(
  (async () => {
    while (!isOver)
      await (client.services as unknown as Loose)['slow']!({ id: 'i0' }).catch((error: unknown) =>
        failed.push(String(error)),
      )
  })(),
)

// What a watcher sees of one entry has no gap, whatever becomes of the code.
const seen: number[] = []
/** Where the present state was told, which says what came before it. */
const begins = new Set<number>()
let resets = 0
let isTold = true
const stop = new AbortController()
const watching = (async () => {
  for await (const event of space.watch('item', { id: 'i0' }, { signal: stop.signal })) {
    if (event.kind === 'reset') {
      resets += 1
      isTold = true
    }
    for (const { entry } of event.changes ?? []) {
      if (isTold) begins.add(seen.length)
      isTold = false
      seen.push(entry.n)
    }
  }
})().catch((error: unknown) => void (isPlenumError(error, 'ABORTED') || failed.push(String(error))))

/** Writes a file, and waits for what becomes of it. */
async function edit(path: string, content: string): Promise<unknown> {
  const from = told.length
  writeFileSync(path, content)
  for (;;) {
    const event = told.slice(from).find(({ kind }) => kind === 'reloaded' || kind === 'reload-refused')
    if (event?.kind === 'reloaded') return { reloaded: event.files.map((one) => one.slice(home.length + 6)) }
    if (event?.kind === 'reload-refused')
      return isPlenumError(event.error)
        ? { refused: event.error.code, message: event.error.message }
        : String(event.error)
    await new Promise<void>((resolve) => (wake = resolve))
  }
}

const done: unknown[] = []
const worked = async (id: string): Promise<unknown> => {
  await space['insert']!('job', { id, by: 0 })
  for (;;) {
    const job = (await space['get']!('job', { id })) as { readonly by: number }
    if (job.by !== 0) return job.by
  }
}
done.push(await worked('j1'))
done.push(await edit(rates, 'export const factor = 2\n'))
done.push(await worked('j2'))
done.push(await edit(rates, 'export const factor = = 3\n'))
done.push(await edit(rates, 'export const factor = 4\n'))
done.push(await edit(file, shop({ id: 'key' })))
// What the entries themselves refuse is found when the threads of before have ended: they go on from what they had loaded.
done.push(await edit(file, shop({ fields: ', must: z.string()' })))
done.push(await worked('j4'))
writeFileSync(extra, 'export const more = 5\n')
done.push(
  await edit(
    file,
    shop({
      imports: "import { more } from './extra.ts'",
      handlers: "more: handler({ input: Of, route: 'id' }, () => more),",
    }),
  ),
)
done.push(await handlers()['more']!({ id: 'a' }))
done.push(await edit(extra, 'export const more = 6\n'))
done.push(await handlers()['more']!({ id: 'a' }))
done.push(await edit(file, shop({ fields: ', size: z.int().optional()' }).replace("unit('shop'", "unit('store'")))
done.push(await edit(file, shop({ fields: ', size: z.int().optional()' })))
done.push(await worked('j3'))
const files = development.files.map((one) => one.slice(home.length + 6))
isOver = true
await Promise.all(lines)
const last = counts[0]!
while (seen.at(-1) !== last) await new Promise((resolve) => setTimeout(resolve, 5))
stop.abort()
await watching
const gaps = seen.filter((n, at) => !begins.has(at) && n !== seen[at - 1]! + 1)
console.log(JSON.stringify({ done, failed, factors: [...factors], files, gaps, resets, seen: seen.length, last }))
