import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, port, schedule, unit, type EmbeddedEvent } from './index.ts'

const Run = entry('run', z.object({ at: z.int(), late: z.number(), key: z.string() }), { id: 'at' })

interface Outside {
  tick(at: number): void
}

const clock = unit(
  'clock',
  { entries: [Run], uses: { outside: port<Outside>() } },
  {
    schedules: {
      second: schedule(
        { cron: '* * * * * *', zone: 'Europe/Zurich', retry: { attempts: 2, backoff: '1ms' } },
        async ({ at, late }, { space, uses, key }) => {
          uses.outside.tick(at)
          await space.write(Run, { at, late, key })
        },
      ),
    },
  },
)

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client[Symbol.asyncDispose]()
})

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('[UN8] [UN9] a schedule runs once for each due time, with a key of it; one that throws runs again', async () => {
  const ticks: number[] = []
  const events: EmbeddedEvent['event'][] = []
  const tick = (at: number): void => {
    ticks.push(at)
    if (ticks.length === 1) throw new Error('the first time')
  }
  const onEvent = ({ event }: EmbeddedEvent): void => void (event.kind === 'fault' && events.push(event))
  const client = await embedded({ unit: clock, journal: 'memory', uses: { outside: { tick } }, onEvent })
  open.push(client)
  await until(async () => (await client.space.count(Run, {})) >= 2)
  const runs = await client.space.readAll(Run, {}, { orderBy: { at: 'asc' } })
  for (const { at, late, key } of runs) {
    expect(at % 1_000).toBe(0)
    expect(late).toBeGreaterThanOrEqual(0)
    expect(key).toBe(`clock/second/${at}`)
  }
  expect(ticks.slice(0, 2)).toEqual([runs[0]?.at, runs[0]?.at])
  expect(events).toMatchObject([{ part: 'schedule second' }])
  expect(await client.schedules.second.deadLetters()).toEqual([])
})

test('[UN8] after the last attempt a due time is a dead letter, and the next one comes all the same', async () => {
  let isWell = false
  const outside = {
    tick: () => {
      if (!isWell) throw new Error('not well')
    },
  }
  const client = await embedded({ unit: clock, journal: 'memory', uses: { outside } })
  open.push(client)
  const { second } = client.schedules
  await until(async () => (await second.deadLetters()).length === 1)
  const [letter] = await second.deadLetters()
  expect(letter).toMatchObject({ attempts: 2, errors: [{}, { message: 'Error: not well' }] })
  isWell = true
  expect(await second.sendBack()).toBe(1)
  await until(async () => (await client.space.get(Run, { at: Number(letter?.value['at']) })) !== undefined)
  await until(async () => (await client.space.count(Run, {})) >= 2)
})

test('[UN8] a wrong cron, zone or policy is refused with its field', () => {
  const declare = (options: object) => () =>
    schedule({ cron: '0 17 * * *', zone: 'Europe/Zurich', ...options }, async () => {})
  for (const [field, value] of Object.entries({ cron: '61 * * * *', zone: 'Mars/Base', missed: 'twice' })) {
    expect(declare({ [field]: value })).toThrow(
      expect.objectContaining({ code: 'UNIT_INVALID', details: expect.objectContaining({ field }) }),
    )
  }
})
