import { expect, test } from 'vitest'
import { World } from './world.ts'

test('events happen by time, and those of one moment in the order in which they were put in', async () => {
  const world = new World({ seed: 1 })
  const seen: string[] = []
  const at = (ms: number, name: string): unknown => world.schedule(ms, () => seen.push(`${name} ${world.now}`))
  at(5, 'a')
  at(2.5, 'b')
  at(5, 'c')
  at(0, 'd')
  world.schedule(2.5, () => at(2.5, 'e'))
  await world.run(() => world.idle)
  expect(seen).toEqual(['d 0', 'b 2.5', 'a 5', 'c 5', 'e 5'])
})

test('any number of events come out in the order of a plain sort', async () => {
  const world = new World({ seed: 2 })
  const random = world.random.fork('test')
  const seen: number[] = []
  const expected: { readonly time: number; readonly at: number }[] = []
  for (let at = 0; at < 2_000; at++) {
    const time = random.integer(200)
    const timer = world.schedule(time, () => seen.push(at))
    if (random.chance(0.3)) timer.stop()
    else expected.push({ time, at })
  }
  await world.run(() => world.idle)
  expect(seen).toEqual(expected.toSorted((a, b) => a.time - b.time || a.at - b.at).map(({ at }) => at))
})

test('[A2] however long a chain of promises is, it ends before the next event begins', async () => {
  const world = new World({ seed: 3 })
  let steps = 0
  let seen = -1
  world.schedule(1, () => {
    void (async () => {
      for (; steps < 100_000; steps++) await Promise.resolve()
    })()
  })
  world.schedule(1, () => {
    seen = steps
  })
  await world.runFor(1)
  await world.run(() => world.idle)
  expect(seen).toBe(100_000)
})

test('what the caller began before it waits comes to rest before the first event', async () => {
  const world = new World({ seed: 3 })
  const seen: string[] = []
  world.schedule(0, () => seen.push('event'))
  void (async () => {
    for (let step = 0; step < 50; step++) await Promise.resolve()
    seen.push('caller')
  })()
  await world.run(() => seen.length === 2)
  expect(seen).toEqual(['caller', 'event'])
})

test('a promise is completed at its time, and whoever waited goes on before the next event', async () => {
  const world = new World({ seed: 4 })
  const seen: string[] = []
  world.schedule(10, () => seen.push('early'))
  world.schedule(20.5, () => seen.push('late'))
  const value = await world.complete(new Promise((resolve) => world.schedule(20, () => resolve('value'))))
  expect([value, world.now, seen]).toEqual(['value', 20, ['early']])
  await expect(world.complete(Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(world.now).toBe(20)
})

test('several may wait at once, each until its own end', async () => {
  const world = new World({ seed: 5 })
  const ends: number[] = []
  const wait = async (ms: number): Promise<void> => {
    await world.runFor(ms)
    ends.push(world.now)
  }
  await Promise.all([wait(30), wait(10), wait(10.5), wait(30).then(() => wait(5))])
  expect(ends).toEqual([10, 10.5, 30, 30, 35])
})

test('a wait that does not end names its bound: virtual time, events, or that nothing is left', async () => {
  const world = new World({ seed: 6 })
  const never = new Promise<never>(() => {})
  await expect(world.complete(never)).rejects.toMatchObject({
    code: 'CHECK_FAILED',
    message: expect.stringContaining('nothing is left to happen') as string,
  })
  const again = (ms: number) => (): void => void world.schedule(ms, again(ms))
  again(1)()
  await expect(world.complete(never, { maxMs: 50 })).rejects.toMatchObject({
    code: 'CHECK_FAILED',
    message: expect.stringContaining('50 virtual ms') as string,
    details: { seed: 6, now: 50, maxMs: 50 },
  })
  again(0)()
  await expect(world.run(() => false, { maxEvents: 100 })).rejects.toMatchObject({
    code: 'CHECK_FAILED',
    message: expect.stringContaining('100 events') as string,
  })
})

test('an error in an event ends the wait', async () => {
  const world = new World({ seed: 7 })
  world.schedule(1, () => {
    throw new Error('broken')
  })
  await expect(world.runFor(10)).rejects.toThrow('broken')
  await world.runFor(10)
  expect(world.now).toBe(11)
})
