import { expect, test } from 'vitest'
import { noFaults, type FaultPlan } from './fault-plan.ts'
import { SimulatedNetwork } from './network.ts'
import { World } from './world.ts'

interface Bench {
  readonly world: World
  readonly network: SimulatedNetwork
  /** Messages that have arrived at a member, as their first byte. */
  readonly arrived: Readonly<Record<'a' | 'b' | 'c', number[]>>
  send(from: 'a' | 'b' | 'c', to: string, value: number): void
}

function bench(faults: Partial<FaultPlan['network']> = {}, inFlightMax?: number): Bench {
  const world = new World({ seed: 11, faults: { ...noFaults, network: { ...noFaults.network, ...faults } } })
  const network = new SimulatedNetwork(world, inFlightMax === undefined ? {} : { inFlightMax })
  const arrived = { a: [], b: [], c: [] } as Record<'a' | 'b' | 'c', number[]>
  const ports = { a: listening('a'), b: listening('b'), c: listening('c') }
  function listening(name: 'a' | 'b' | 'c') {
    const port = network.port(world.member(name).process)
    port.listen(name, (_, bytes) => arrived[name].push(bytes[0]!))
    return port
  }
  return { world, network, arrived, send: (from, to, value) => ports[from].send(from, to, Uint8Array.of(value)) }
}

const hundred = Array.from({ length: 100 }, (_, at) => at)

test('messages arrive once, in order, later than they were sent, and as they were when sent', async () => {
  const { world, arrived, network } = bench()
  const port = network.port(world.member('a').process)
  const buffer = Buffer.alloc(1)
  for (const value of hundred) {
    buffer[0] = value
    port.send('a', 'b', buffer)
  }
  expect(arrived.b).toEqual([])
  await world.runFor(100)
  expect(arrived).toEqual({ a: [], b: hundred, c: [] })
})

test('loss, duplicates and reordering happen at their rates and are counted', async () => {
  const { world, arrived, send } = bench({ lossRate: 0.2, duplicateRate: 0.2, reorderRate: 0.5 })
  for (const value of hundred) send('a', 'b', value)
  await world.runFor(100)
  const lost = hundred.filter((value) => !arrived.b.includes(value)).length
  expect(lost).toBe(world.counts.of('message lost'))
  expect(lost).toBeGreaterThan(5)
  expect(arrived.b.length).toBe(100 - lost + world.counts.of('message doubled'))
  expect(world.counts.of('message doubled')).toBeGreaterThan(5)
  expect(world.counts.of('message reordered')).toBeGreaterThan(5)
  expect(arrived.b).not.toEqual(arrived.b.toSorted((x, y) => x - y))
})

test('a cut stops both directions or one, also for what is under way, and heals', async () => {
  const { world, arrived, network, send } = bench()
  send('a', 'b', 1)
  const heal = network.cut(['a'], ['b', 'c'])
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'a'],
    ['c', 'a'],
    ['b', 'c'],
  ] as const)
    send(from, to, 2)
  await world.runFor(10)
  expect(arrived).toEqual({ a: [], b: [], c: [2] })
  expect(world.counts.of('message cut off')).toBe(4)
  heal()
  network.cutOneWay(['a'], ['b'])
  send('a', 'b', 3)
  send('b', 'a', 3)
  await world.runFor(10)
  expect(arrived).toEqual({ a: [3], b: [], c: [2] })
  network.heal()
  send('a', 'b', 4)
  await world.runFor(10)
  expect(arrived.b).toEqual([4])
})

test('messages to a dead member vanish, and a dead member sends none', async () => {
  const { world, arrived, network, send } = bench()
  send('a', 'b', 1)
  world.member('b').kill()
  send('b', 'a', 1)
  await world.runFor(10)
  expect(arrived).toEqual({ a: [], b: [], c: [] })
  const process = world.member('b').restart()
  const second: number[] = []
  network.port(process).listen('b', (_, bytes) => second.push(bytes[0]!))
  send('a', 'b', 2)
  await world.runFor(10)
  expect([arrived.b, second]).toEqual([[], [2]])
})

test('messages to a paused member wait and come in a burst', async () => {
  const { world, arrived, send } = bench()
  world.member('b').pause(500)
  for (const value of hundred) send('a', 'b', value)
  await world.runFor(499)
  expect(arrived.b).toEqual([])
  await world.runFor(1)
  await world.runFor(0.001)
  expect(arrived.b).toEqual(hundred)
})

test('[A8] what is under way on a link is bounded: more is lost and counted', async () => {
  const { world, arrived, send } = bench({}, 10)
  for (const value of hundred) send('a', 'b', value)
  await world.runFor(10)
  expect(arrived.b).toEqual(hundred.slice(0, 10))
  expect(world.counts.of('message over the limit')).toBe(90)
  send('a', 'b', 50)
  await world.runFor(10)
  expect(arrived.b).toHaveLength(11)
})

test('an address that nobody listens at, or no longer, gets nothing', async () => {
  const { world, arrived, network, send } = bench()
  const seen: number[] = []
  const stop = network.port(world.member('c').process).listen('extra', (_, bytes) => seen.push(bytes[0]!))
  send('a', 'nowhere', 1)
  send('a', 'extra', 1)
  await world.runFor(10)
  stop()
  send('a', 'extra', 2)
  await world.runFor(10)
  expect([seen, arrived, world.counts.of('message to nobody')]).toEqual([[1], { a: [], b: [], c: [] }, 2])
})
