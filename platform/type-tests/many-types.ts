/** The source of a unit of many entry types and handlers, to see what the types cost as units grow. */
export function manyTypes(entries: number, handlers: number): string {
  const types = Array.from(
    { length: entries },
    (_, at) =>
      `const E${at} = entry('e${at}', z.object({ id: z.string(), owner: z.string(), n: z.int(), state: z.enum(['a', 'b']), at: z.int(), limit: z.object({ daily: z.int(), deep: z.object({ x: z.int() }) }) }), { id: 'id', route: 'owner', keys: 'uuid7' })`,
  )
  const parts = Array.from({ length: handlers }, (_, at) => {
    const type = `E${at % entries}`
    return (
      `h${at}: handler({ input: z.object({ id: z.string(), owner: z.string(), by: z.int() }), route: 'owner' }, ({ id, owner, by }, { partition }) => {\n` +
      `  const one = partition.get(${type}, { id, owner })\n` +
      `  const all = partition.readAll(${type}, { owner, n: { gte: by }, 'limit.daily': { lt: 5 } }, { select: ['id', 'n'] })\n` +
      `  partition.change(${type}, { id, owner }, { add: { n: by } })\n` +
      `  return { found: one?.n, count: all.length }\n})`
    )
  })
  return [
    `import { entry, handler, unit, type Client } from 'plenum'`,
    `import { z } from 'zod'`,
    ...types,
    `const many = unit('many', { entries: [${types.map((_, at) => `E${at}`).join(', ')}] }, { handlers: {`,
    parts.join(',\n'),
    '} })',
    'declare const client: Client<typeof many>',
    `export const answer = client.handlers.h0({ id: 'x', owner: 'o', by: 1 })`,
    '',
  ].join('\n')
}
