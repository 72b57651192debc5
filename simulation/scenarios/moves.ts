import { isPlenumError, PlenumError, type Duration } from 'plenum'
import { Token } from '../unit.ts'
import { scenario, takeTurns, type Scenario, type Seat } from './scenario.ts'

type Space = Seat['unit']['space']

/** What a client does: takes tokens out of a pool and puts them into another, or counts all of them. */
type MoveStep =
  | { readonly f: 'move'; readonly from: string; readonly to: string; readonly count: number; readonly by: TakenBy }
  | { readonly f: 'count' }

/** How tokens are taken: the first that a query meets, the one that was moved least, or one by its key. */
const waysToTake = ['any', 'ordered', 'key'] as const
type TakenBy = (typeof waysToTake)[number]

const pools = ['a', 'b', 'c', 'd', 'e', 'f']
const tokens = 12
const attempts = 8

/** What the clients of a run found. */
interface Found {
  moved: number
  empty: number
  unknown: number
  conflicts: number
  counted: number
}

/** Tokens that transactions take here and put there: none is lost, and none is seen twice. */
export const moves: Scenario = scenario<MoveStep>({
  name: 'moves',
  about:
    'entries that transactions take on one partition and insert on another; whoever reads all of them sees each once',
  isRead: ({ f }) => f === 'count',
  limits: (random) => ({ changeRingMax: [8, 100, 10_000][random.integer(3)]! }),
  draw: (random, count) =>
    Array.from({ length: count }, (): MoveStep => {
      if (random.next() < 0.3) return { f: 'count' }
      const from = random.integer(pools.length)
      const to = (from + 1 + random.integer(pools.length - 1)) % pools.length
      const by = waysToTake[random.integer(waysToTake.length)]!
      return { f: 'move', from: pools[from]!, to: pools[to]!, count: 1 + random.integer(3), by }
    }),
  play: async (stage, turns) => {
    const [first] = stage.seats
    for (let id = 0; id < tokens; id++) {
      const token = { id, pool: pools[id % pools.length]!, moved: 0 }
      await first!.unit.space.insert(Token, token, { key: `token ${id}` })
    }
    const found: Found = { moved: 0, empty: 0, unknown: 0, conflicts: 0, counted: 0 }
    await takeTurns(stage, turns, async ({ step, timeout }, { unit }) => {
      try {
        if (step.f === 'move') await move(unit.space, step, timeout, found)
        else await count(unit.space, timeout, found)
      } catch (error) {
        if (!isPlenumError(error) || error.code === 'CHECK_FAILED') throw error
        if (error.code === 'UNKNOWN_OUTCOME') found.unknown += 1
        else if (error.code === 'TRANSACTION_CONFLICT') found.conflicts += 1
      }
    })
    await stage.world.settle()
    for (const { unit } of stage.seats) await count(unit.space, undefined, found)
    return {
      'tokens moved': found.moved,
      'moves of nothing': found.empty,
      'moves of unknown outcome': found.unknown,
      'moves in conflict': found.conflicts,
      'counts of tokens': found.counted,
    }
  },
})

async function move(
  space: Space,
  { from, to, count: most, by }: MoveStep & { readonly f: 'move' },
  timeout: Duration | undefined,
  found: Found,
): Promise<void> {
  const moved = await space.transaction(
    async (tx) => {
      let done = 0
      for (; done < most; done++) {
        const token = await taken(tx, from, by)
        if (token === undefined) break
        await tx.insert(Token, { ...token, pool: to, moved: token.moved + 1 })
      }
      return done
    },
    { timeout, attempts },
  )
  found.moved += moved
  if (moved === 0) found.empty += 1
}

async function taken(tx: Pick<Space, 'take' | 'read' | 'remove'>, pool: string, by: TakenBy) {
  switch (by) {
    case 'any':
      return tx.take(Token, { pool })
    case 'ordered':
      return tx.take(Token, { pool }, { orderBy: { moved: 'asc' } })
    case 'key': {
      const token = await tx.read(Token, { pool })
      if (token !== undefined) await tx.remove(Token, { id: token.id, pool })
      return token
    }
  }
}

/** Reads all pools at one moment. CHECK_FAILED unless each token is there once. */
async function count(space: Space, timeout: Duration | undefined, found: Found): Promise<void> {
  const seen = await space.transaction((tx) => tx.readAll(Token, {}), { timeout, attempts })
  const ids = seen.map(({ id }) => id).toSorted((a, b) => a - b)
  found.counted += 1
  if (ids.length === tokens && ids.every((id, at) => id === at)) return
  throw new PlenumError(
    'CHECK_FAILED',
    `moves: A transaction saw the tokens ${ids.join(', ')}, and there are ${tokens}.`,
  )
}
