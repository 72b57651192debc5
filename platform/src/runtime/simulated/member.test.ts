import { expect, test } from 'vitest'
import { noFaults, type FaultPlan } from './fault-plan.ts'
import { World } from './world.ts'

test('[A2] clocks are off and drift as asked; the wall clock jumps, the monotonic one never goes back', async () => {
  const world = new World({ seed: 1 })
  const member = world.member('a', { offsetMs: 500, drift: 0.01 })
  const { clock } = member.runtime()
  expect(clock.wall()).toBeCloseTo(world.startMs + 500, 3)
  const from = clock.monotonic()
  await world.runFor(1_000)
  expect(clock.monotonic() - from).toBeCloseTo(1_010, 6)
  expect(clock.wall()).toBeCloseTo(world.startMs + 1_510, 3)
  member.jumpWall(-10_000)
  expect(clock.monotonic() - from).toBeCloseTo(1_010, 6)
  expect(clock.wall()).toBeCloseTo(world.startMs - 8_490, 3)
  member.setDrift(-0.5)
  await world.runFor(1_000)
  expect(clock.monotonic() - from).toBeCloseTo(1_510, 6)
})

test('[A2] a timer runs by the clock of its member and never before that shows the time', async () => {
  const world = new World({ seed: 2 })
  for (const drift of [0.03, -0.03, 0, 1 / 3]) {
    const { clock, timers } = world.member(`drift ${drift}`, { drift }).runtime()
    for (const delay of [0, 0.1, 1, 333.3, 1e6]) {
      const due = clock.monotonic() + delay
      const fired = new Promise<number>((resolve) => timers.after(delay, () => resolve(clock.monotonic())))
      const at = await world.complete(fired, { maxMs: 1e7 })
      expect(at).toBeGreaterThanOrEqual(due)
      expect(at).toBeLessThan(due + 0.001)
    }
  }
})

test('soon is the same moment, after what is due already', async () => {
  const world = new World({ seed: 3 })
  const { timers } = world.member('a').runtime()
  const seen: string[] = []
  timers.soon(() => seen.push(`soon ${world.now}`))
  timers.after(0, () => seen.push('after 0'))
  void Promise.resolve().then(() => seen.push('promise'))
  await world.run(() => world.idle)
  expect(seen).toEqual(['promise', 'soon 0', 'after 0'])
})

test('a stopped timer does not fire, also while its process is paused', async () => {
  const world = new World({ seed: 4 })
  const member = world.member('a')
  const { timers } = member.runtime()
  let fired = 0
  const one = timers.after(10, () => (fired += 1))
  const other = timers.after(10, () => (fired += 1))
  one.stop()
  member.pause(50)
  await world.runFor(20)
  other.stop()
  await world.runFor(100)
  expect([fired, world.idle]).toEqual([0, true])
})

test('a paused process meets nothing until it goes on, then everything in a burst; its clock went on', async () => {
  const world = new World({ seed: 5 })
  const member = world.member('a', { offsetMs: 0, drift: 0 })
  const { clock, timers } = member.runtime()
  const begun = clock.monotonic()
  const seen: string[] = []
  for (const delay of [10, 20, 30, 250]) {
    timers.after(delay, () => seen.push(`${delay} at ${Math.round(clock.monotonic() - begun)}`))
  }
  await world.runFor(15)
  member.pause(200)
  await world.runFor(100)
  expect(seen).toEqual(['10 at 10'])
  await world.runFor(200)
  expect(seen).toEqual(['10 at 10', '20 at 215', '30 at 215', '250 at 250'])
})

test('a killed process meets nothing any more; the next one has ports of its own', async () => {
  const world = new World({ seed: 6 })
  const member = world.member('a')
  const first = member.runtime()
  const seen: string[] = []
  first.timers.after(10, () => seen.push('first, before'))
  member.kill()
  first.timers.after(10, () => seen.push('first, after'))
  expect(member.alive).toBe(false)
  const process = member.restart()
  expect([process.incarnation, member.alive]).toEqual([2, true])
  const second = member.runtime()
  second.timers.after(10, () => seen.push('second'))
  await world.runFor(100)
  expect(seen).toEqual(['second'])
  expect(second.random.bytes(16)).not.toEqual(first.random.bytes(16))
  expect(() => member.restart()).toThrow(expect.objectContaining({ code: 'USAGE' }))
})

test('a process that is killed while it is paused does not come back with the pause', async () => {
  const world = new World({ seed: 7 })
  const member = world.member('a')
  const seen: string[] = []
  member.runtime().timers.after(1, () => seen.push('first'))
  member.pause(50)
  await world.runFor(10)
  member.kill()
  member.restart()
  member.pause(1_000)
  member.runtime().timers.after(1, () => seen.push(`second ${world.now}`))
  await world.runFor(2_000)
  expect(seen).toEqual(['second 1010'])
})

test('a synchronous stretch takes its time: the clock shows it, and what is due meanwhile comes after it', async () => {
  const world = new World({ seed: 8 })
  const member = world.member('a', { drift: 0 })
  const { clock, timers } = member.runtime()
  const begun = clock.monotonic()
  const seen: string[] = []
  const note = (name: string): void => void seen.push(`${name} ${Math.round(clock.monotonic() - begun)}`)
  timers.after(10, () => {
    member.process.busy(30)
    note('busy')
    timers.after(5, () => note('its timer'))
  })
  timers.after(20, () => note('late'))
  await world.runFor(100)
  expect(seen).toEqual(['busy 40', 'late 40', 'its timer 45'])
})

test('stalls and late timers of the plan happen and are counted', async () => {
  const slow: FaultPlan['process'] = {
    ...noFaults.process,
    stallRate: 0.5,
    stallMs: { min: 1, mean: 2, max: 5 },
    lateTimerRate: 0.5,
    lateTimerMs: { min: 1, mean: 2, max: 5 },
  }
  const world = new World({ seed: 9, faults: { ...noFaults, process: slow } })
  const { clock, timers } = world.member('a').runtime()
  let last = clock.monotonic()
  for (let round = 0; round < 100; round++) {
    const now = clock.monotonic()
    expect(now).toBeGreaterThanOrEqual(last)
    last = now
    await world.complete(new Promise<void>((resolve) => timers.after(1, resolve)))
  }
  expect(world.counts.of('stall')).toBeGreaterThan(20)
  expect(world.counts.of('late timer')).toBeGreaterThan(20)
})

test('probes are counted by name', () => {
  const world = new World({ seed: 10 })
  const { probe } = world.member('a').runtime()
  probe?.('rare')
  probe?.('rare')
  expect(world.probes.all()).toEqual({ rare: 2 })
})
