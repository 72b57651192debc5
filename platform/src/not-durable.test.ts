import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from './embedded.ts'
import { inspect } from './cli/inspect.ts'
import { entry } from './space/index.ts'
import { handler, task, unit } from './unit/index.ts'

const Position = entry('position', z.object({ player: z.string(), room: z.string(), x: z.int() }), {
  id: 'player',
  indexes: [['room', 'x']],
  durable: false,
})
const Score = entry('score', z.object({ player: z.string(), points: z.int() }), { id: 'player' })
const Move = z.object({ player: z.string(), room: z.string(), x: z.int() })

const world = unit(
  'world',
  { entries: [Position, Score] },
  {
    handlers: {
      move: handler({ input: Move, route: 'player' }, ({ player, room, x }, { partition }) => {
        partition.write(Position, { player, room, x })
        if (x < 0) throw new Error('nobody goes there')
        if (x % 10 !== 0) return 0
        const points = (partition.get(Score, { player })?.points ?? 0) + 1
        partition.write(Score, { player, points })
        return points
      }),
    },
    tasks: {
      furthest: task(
        { input: z.object({}) },
        (_, { partition }) => Math.max(-1, ...partition.readAll(Position, {}).map(({ x }) => x)),
        Math.max,
      ),
    },
  },
)

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-not-durable-'))
  folders.push(folder)
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function open(folder?: string) {
  const journal = folder === undefined ? 'memory' : { folder }
  return embedded({ unit: world, partitions: 2, journal, ack: folder === undefined ? 'memory' : 'os' })
}

const players = ['ann', 'bob', 'cid', 'dan']

describe('entries that are not durable', () => {
  test('[SP14] a restart has everything else, and none of them', async () => {
    const folder = newFolder()
    {
      await using client = await open(folder)
      for (const [at, player] of players.entries()) await client.handlers.move({ player, room: 'hall', x: at * 10 })
      expect(await client.space.count(Position, {})).toBe(4)
      expect(await client.space.readAll(Position, { room: 'hall', x: { gte: 20 } }, { orderBy: { x: 'asc' } })).toEqual(
        [
          { player: 'cid', room: 'hall', x: 20 },
          { player: 'dan', room: 'hall', x: 30 },
        ],
      )
      expect(await client.tasks.furthest({}).total()).toMatchObject({ value: 30 })
    }
    {
      await using client = await open(folder)
      expect(await client.space.count(Position, {})).toBe(0)
      expect(await client.space.count(Score, {})).toBe(4)
      expect(await client.handlers.move({ player: 'ann', room: 'hall', x: 10 })).toBe(2)
    }
    let text = ''
    await inspect([folder, '--json'], { out: (more) => void (text += more), err: () => {}, live: false })
    expect(text).toContain('"score"')
    expect(text).not.toContain('"position"')
  })

  test('[SP14] a handler changes both kinds together, and takes both back', async () => {
    await using client = await open()
    const { space, handlers } = client
    await handlers.move({ player: 'ann', room: 'hall', x: 5 })
    await expect(handlers.move({ player: 'ann', room: 'yard', x: -1 })).rejects.toMatchObject({
      code: 'HANDLER_FAILED',
    })
    await expect(handlers.move({ player: 'bob', room: 'yard', x: -1 })).rejects.toMatchObject({
      code: 'HANDLER_FAILED',
    })
    expect(await space.readAll(Position, {})).toEqual([{ player: 'ann', room: 'hall', x: 5 }])
    expect(await space.readAll(Position, { room: 'yard' })).toEqual([])
  })

  test('[SP14] [SP5] they are waited for, taken, leased and watched as others are', async () => {
    await using client = await open()
    const { space } = client
    const stop = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of space.watch(Position, { room: 'hall' }, { signal: stop.signal })) {
        if (event.kind !== 'changes') continue
        for (const change of event.changes)
          seen.push(`${change.kind} ${change.entry.player}${change.kind === 'removed' ? ` ${change.reason}` : ''}`)
      }
    })()
    const taken = space.take(Position, { room: 'hall', x: { gt: 5 } }, { wait: '10s' })
    await space.write(Position, { player: 'ann', room: 'hall', x: 1 }, { lease: '50ms' })
    await space.write(Position, { player: 'bob', room: 'hall', x: 9 })
    expect(await taken).toEqual({ player: 'bob', room: 'hall', x: 9 })
    while (!seen.includes('removed ann expired')) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort()
    await watching
    expect(seen.toSorted()).toEqual(['added ann', 'added bob', 'removed ann expired', 'removed bob taken'])
    expect(await space.count(Position, {})).toBe(0)
  })

  test('[SP14] whether a type is durable is true or false', () => {
    const options: object = { id: 'id', durable: 'no' }
    expect(() => entry('thing', z.object({ id: z.string() }), options as { id: 'id' })).toThrow(
      expect.objectContaining({ code: 'UNIT_INVALID', details: { option: 'durable' } }),
    )
  })

  test('[SP14] [TX1] a transaction has none of them', async () => {
    await using client = await open()
    const { space } = client
    const written = space.transaction(async (tx) => {
      await tx.write(Score, { player: 'ann', points: 1 })
      await tx.write(Position, { player: 'ann', room: 'hall', x: 1 })
    })
    await expect(written).rejects.toMatchObject({ code: 'TRANSACTION_INVALID', details: { type: 'position' } })
    const batch = space.writeAll(Position, [{ player: 'ann', room: 'hall', x: 1 }], { atomic: true })
    await expect(batch).rejects.toMatchObject({ code: 'TRANSACTION_INVALID' })
    expect([await space.count(Score, {}), await space.count(Position, {})]).toEqual([0, 0])
    expect(await space.writeAll(Position, [{ player: 'ann', room: 'hall', x: 1 }])).toMatchObject([{ ok: true }])
  })
})
