import { expect, test } from 'vitest'
import type { ClaimsGiven, Request } from '../space/index.ts'
import { DataLogic, itemLayout, PartitionBench, type Member } from './contract/partition-bench.ts'
import type { ScheduleRule } from './logic.ts'

/** Due at each multiple of so many milliseconds. */
function every(ms: number, name = 'tick', missed: 'once' | 'skip' = 'once'): ScheduleRule {
  const last = (until: number): number => Math.floor(until / ms) * ms
  return {
    name,
    worker: `schedule ${name}`,
    missed,
    next: (after) => last(after) + ms,
    last: (after, until) => (last(until) > after ? last(until) : undefined),
  }
}

const rule = (name: string) =>
  ({ name: `schedule ${name}`, type: 'plenum.due', where: { schedule: name }, isSpent: true }) as const

function logic(bench: PartitionBench, schedules: readonly ScheduleRule[]): DataLogic {
  const workers = [rule('tick'), rule('tock')]
  return new DataLogic('unit-1', bench.limits, [itemLayout], workers, schedules)
}

const claim = (count = 9, name = 'tick'): Request => ({
  command: { kind: 'claim', worker: `schedule ${name}`, count, leaseMs: undefined },
})

async function claimed({ partition }: Member, name = 'tick'): Promise<ClaimsGiven> {
  return (await partition.submit(claim(9, name))) as ClaimsGiven
}

/** Runs what is due, and tells the due times. */
async function run(member: Member, name = 'tick'): Promise<readonly unknown[]> {
  const { epoch, claims } = await claimed(member, name)
  for (const { number } of claims) {
    const part = { seen: { entries: [], queries: [] }, commands: [] }
    const transaction = { id: `t${number}`, coordinator: 0, until: 1e15 }
    const end = { kind: 'commit', transaction, part, partitions: [], claim: { epoch, number } } as const
    await member.partition.submit({ command: end })
  }
  return claims.map(({ entry }) => entry['at'])
}

async function open(schedules: readonly ScheduleRule[], options: { readonly shared?: boolean } = {}) {
  const bench = new PartitionBench({ shared: false, ...options })
  const now = bench.runtime.clock.wall()
  // The first due time comes when the clock shows the next whole second.
  await bench.runtime.advance(1_000 - (now % 1_000) + 1)
  const start = Math.floor(bench.runtime.clock.wall() / 1_000) * 1_000
  const member = await bench.primary(1, logic(bench, schedules))
  await bench.runtime.advance(10)
  return { bench, member, start }
}

test('[UN8] a schedule that is new begins now, and then each due time comes once', async () => {
  const { bench, member, start } = await open([every(1_000), every(2_500, 'tock')])
  expect(await run(member)).toEqual([])
  await bench.runtime.advance(1_000)
  expect(await run(member)).toEqual([start + 1_000])
  expect(await run(member)).toEqual([])
  await bench.runtime.advance(1_000)
  expect(await run(member)).toEqual([start + 2_000])
  await bench.runtime.advance(3_000)
  const tocks = (await run(member, 'tock')) as readonly number[]
  expect(tocks.every((at) => at % 2_500 === 0)).toBe(true)
  expect(tocks.length).toBeGreaterThan(0)
})

test('[UN8] a due time that was noted is noted by no later reign, and one that was not run is run there', async () => {
  const { bench, member, start } = await open([every(1_000)], { shared: true })
  await bench.runtime.advance(1_000)
  expect(await run(member)).toEqual([start + 1_000])
  await bench.runtime.advance(1_000)
  expect((await claimed(member)).claims).toMatchObject([{ entry: { at: start + 2_000 } }])
  const second = await bench.follower(2, logic(bench, [every(1_000)]))
  member.partition.drop()
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  const ran = (await run(second)) as readonly number[]
  expect(ran[0]).toBe(start + 2_000)
  expect(new Set(ran).size).toBe(ran.length)
  expect(ran.slice(1).every((at) => at > start + 2_000)).toBe(true)
})

test('[UN8] of due times that pass while nobody reigns the last one comes, late; or none that is too late', async () => {
  const rules = [every(1_000), every(1_000, 'tock', 'skip')]
  const { bench, member, start } = await open(rules)
  await bench.runtime.advance(1_000)
  expect([await run(member), await run(member, 'tock')]).toEqual([[start + 1_000], [start + 1_000]])
  await member.partition.close()
  await bench.runtime.advance(5_000)
  const soon = await bench.primary(1, logic(bench, rules))
  await bench.runtime.advance(10)
  const at = Math.floor(bench.runtime.clock.wall() / 1_000) * 1_000
  expect([await run(soon), await run(soon, 'tock')]).toEqual([[at], [at]])
  await soon.partition.close()
  const rare = [every(100_000), every(100_000, 'tock', 'skip')]
  await bench.runtime.advance(260_000 - (bench.runtime.clock.wall() % 100_000))
  const late = await bench.primary(1, logic(bench, rare))
  await bench.runtime.advance(10)
  const due = Math.floor(bench.runtime.clock.wall() / 100_000) * 100_000
  expect(bench.runtime.clock.wall() - due).toBe(60_010)
  expect([await run(late), await run(late, 'tock')]).toEqual([[due], []])
  expect(late.events).toContainEqual(expect.objectContaining({ kind: 'schedule-missed', schedule: 'tock', at: due }))
})

test('[UN8] [A8] what is due more often than it is run does not pile up', async () => {
  const { bench, member, start } = await open([every(1_000)])
  await bench.runtime.advance(10_000)
  expect(await run(member)).toEqual([start + 1_000, start + 2_000])
  expect(member.events.filter(({ kind }) => kind === 'schedule-missed')).toHaveLength(8)
  await bench.runtime.advance(1_000)
  expect(await run(member)).toEqual([start + 11_000])
})

test('[UN8] dead letters stay, and hold up no due time that comes', async () => {
  const { bench, member, start } = await open([every(1_000)])
  for (let n = 1; n <= 3; n++) {
    await bench.runtime.advance(1_000)
    const { epoch, claims } = await claimed(member)
    expect(claims).toMatchObject([{ entry: { at: start + n * 1_000 } }])
    for (const { number } of claims) {
      const policy = { message: 'no', attemptsMax: 1, retryMs: 1 }
      await member.partition.submit({ command: { kind: 'work-failed', claim: { epoch, number }, ...policy } })
    }
  }
  const command = { kind: 'dead-letters', worker: 'schedule tick', limit: 9 } as const
  expect(await member.partition.submit({ command })).toHaveLength(3)
  expect(member.events.filter(({ kind }) => kind === 'schedule-missed')).toEqual([])
})

test('[UN8] a schedule that the unit has no more is forgotten', async () => {
  const { bench, member } = await open([every(1_000), every(1_000, 'tock')])
  await bench.runtime.advance(1_000)
  await member.partition.close()
  const after = await bench.primary(1, logic(bench, [every(1_000)]))
  await bench.runtime.advance(10)
  expect(await run(after, 'tock')).toEqual([])
  const { machine } = await bench.fold()
  expect([...machine.table('plenum.schedule').rows()].map(({ value }) => value['name'])).toEqual(['tick'])
})

test('[UN8] a unit that loses its last schedule forgets it; where nobody runs schedules nothing is forgotten', async () => {
  const { bench, member } = await open([every(1_000)])
  await bench.runtime.advance(1_000)
  await member.partition.close()
  const looking = new DataLogic('unit-1', bench.limits, [itemLayout], [rule('tick')])
  const looks = await bench.primary(1, looking)
  await bench.runtime.advance(2_000)
  await looks.partition.close()
  const rows = async (): Promise<number> => (await bench.fold()).machine.table('plenum.schedule').size
  expect(await rows()).toBe(1)
  const without = await bench.primary(1, logic(bench, []))
  await bench.runtime.advance(10)
  expect(await rows()).toBe(0)
  await without.partition.close()
})
