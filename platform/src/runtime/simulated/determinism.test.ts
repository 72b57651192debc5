import { expect, test } from 'vitest'
import type { Disk, Network, Runtime } from '../ports.ts'
import { SimulatedDisk } from './disk.ts'
import { faultKinds, faultPlan, noFaults } from './fault-plan.ts'
import { FaultSchedule } from './fault-schedule.ts'
import type { SimulatedMember } from './member.ts'
import { SimulatedNetwork } from './network.ts'
import { SeededRandom } from './random.ts'
import { World } from './world.ts'

const names = ['a', 'b', 'c']

/** A little program that uses every port: it passes numbers round, and writes down each that it sees. */
async function program(name: string, runtime: Runtime, network: Network, disk: Disk): Promise<void> {
  const { clock, timers, random, probe } = runtime
  await disk.makeFolder('/data')
  const file = await disk.open('/data/numbers')
  let at = await file.size()
  network.listen(name, (from, message) => {
    if (message[0]! > 200) probe?.('large number')
    const line = Buffer.from(`${from} ${message[0]} ${clock.monotonic()} ${clock.wall()}\n`)
    const place = at
    at += line.length
    file
      .write([line], place)
      .then(() => file.sync())
      .then(
        () => {
          // About one message in two is answered, so that they come to an end.
          if (random.next() < 0.5) network.send(name, names[random.integer(3)]!, random.bytes(8))
        },
        () => probe?.('disk trouble'),
      )
  })
  const tick = (): void => {
    network.send(name, names[random.integer(3)]!, runtime.digest([random.bytes(8)]))
    timers.after(random.next() * 100, tick)
  }
  timers.soon(tick)
}

async function run(seed: number, disturb?: (world: World) => void): Promise<World> {
  const plan = faultPlan(new SeededRandom(`plan ${seed}`), faultKinds)
  const world = new World({ seed, faults: plan, traceLines: 100 })
  const network = new SimulatedNetwork(world)
  const members = names.map((name) => world.member(name))
  const disks = new Map(names.map((name) => [name, new SimulatedDisk(world, name)]))
  const start = (member: SimulatedMember): void => {
    const { name, process } = member
    const disk = disks.get(name)!.mount(process)
    program(name, member.runtime(), network.port(process), disk).catch(() => world.probes.add('not started'))
  }
  for (const member of members) start(member)
  const schedule = new FaultSchedule(world, { members, parties: names, network, disks, start, deadMax: 2 })
  disturb?.(world)
  await world.runFor(120_000)
  schedule.stop()
  world.setFaults(noFaults)
  await world.runFor(5_000)
  return world
}

test('[A2] one seed gives one trace, with every fault and every port in it; another seed another', async () => {
  const [one, again, other] = [await run(1), await run(1), await run(2)]
  expect(again.trace.hash).toBe(one.trace.hash)
  expect(again.trace.lines).toEqual(one.trace.lines)
  expect(again.counts.all()).toEqual(one.counts.all())
  expect(again.probes.all()).toEqual(one.probes.all())
  expect([again.events, again.now]).toEqual([one.events, one.now])
  expect(one.trace.entries).toBeGreaterThan(10_000)
  expect(other.trace.hash).not.toBe(one.trace.hash)
})

test('every fault that a plan knows happens, and is counted', async () => {
  const world = await run(3)
  for (const fault of [
    'message lost',
    'message doubled',
    'message reordered',
    'message cut off',
    'message to nobody',
    'partition',
    'one-way partition',
    'clock jump',
    'kill',
    'power cut',
    'pause',
    'stall',
    'late timer',
    'failed write',
    'failed sync',
    'disk filled',
    'disk full',
  ]) {
    expect([fault, world.counts.of(fault) > 0]).toEqual([fault, true])
  }
})

test('[A2] one draw that no seed decides shows in the trace', async () => {
  const disturb = (world: World): void => {
    world.schedule(10_000, () => world.schedule(Math.random(), () => {}))
  }
  const [one, again] = [await run(1, disturb), await run(1, disturb)]
  expect(again.trace.hash).not.toBe(one.trace.hash)
})

test('after the faults have stopped every member runs again, and everybody reaches everybody', async () => {
  const world = await run(4)
  const lost = world.counts.of('message cut off') + world.counts.of('message to nobody')
  await world.runFor(5_000)
  expect(names.map((name) => [world.member(name).alive, world.member(name).process.paused])).toEqual(
    names.map(() => [true, false]),
  )
  expect(world.counts.of('message cut off') + world.counts.of('message to nobody')).toBe(lost)
})
