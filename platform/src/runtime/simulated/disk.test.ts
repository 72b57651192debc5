import { expect, test } from 'vitest'
import type { Disk, File } from '../ports.ts'
import { SimulatedDisk } from './disk.ts'
import { noFaults } from './fault-plan.ts'
import { World } from './world.ts'

class Bench {
  readonly world: World
  readonly disk: SimulatedDisk
  mounted: Disk

  constructor(seed: number | string) {
    this.world = new World({ seed })
    this.disk = new SimulatedDisk(this.world, 'a')
    this.mounted = this.disk.mount(this.world.member('a').process)
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.world.complete(promise)
  }

  /** Opens a file that is there, durably, and holds so many bytes of 1. */
  async file(bytes = 2_000): Promise<File> {
    await this.run(this.mounted.makeFolder('/data'))
    const file = await this.run(this.mounted.open('/data/file'))
    await this.run(file.write([new Uint8Array(bytes).fill(1)], 0))
    await this.run(file.sync())
    await this.run(this.mounted.syncFolder('/data'))
    return file
  }

  /** Starts the machine again, after a kill or a power cut. */
  restart(): void {
    this.world.member('a').kill()
    this.mounted = this.disk.mount(this.world.member('a').restart())
  }

  async content(path = '/data/file'): Promise<number[] | undefined> {
    const bytes = await this.run(this.mounted.readFile(path))
    return bytes === undefined ? undefined : [...bytes]
  }
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed)

test('a file reads as it was written, with zeros in its gaps, and grows and shrinks', async () => {
  const bench = new Bench(1)
  await bench.run(bench.mounted.makeFolder('/data/deep'))
  const file = await bench.run(bench.mounted.open('/data/deep/file'))
  await bench.run(file.write([Uint8Array.of(1, 2), Uint8Array.of(3)], 2))
  expect([...(await bench.run(file.read(1, 10)))]).toEqual([0, 1, 2, 3])
  await bench.run(file.truncate(3))
  await bench.run(file.truncate(5))
  expect([...(await bench.run(file.read(0, 10)))]).toEqual([0, 0, 1, 0, 0])
  expect(await bench.run(file.size())).toBe(5)
  file.writeNow([Uint8Array.of(9)], 0)
  file.syncNow()
  expect(await bench.content('/data/deep/file')).toEqual([9, 0, 1, 0, 0])
  expect(await bench.run(bench.mounted.list('/data'))).toEqual(['deep'])
  expect(await bench.run(bench.mounted.list('/data/deep'))).toEqual(['file'])
  expect(await bench.run(bench.mounted.list('/missing'))).toEqual([])
  expect(await bench.content('/missing')).toBeUndefined()
  await expect(bench.run(bench.mounted.open('/missing/file'))).rejects.toMatchObject({ code: 'ENOENT' })
  await bench.run(bench.mounted.remove('/data/deep/file'))
  await bench.run(bench.mounted.remove('/data/deep/file'))
  expect(await bench.run(bench.mounted.list('/data/deep'))).toEqual([])
  await bench.run(file.close())
  await expect(bench.run(file.read(0, 1))).rejects.toMatchObject({ code: 'EBADF' })
})

test('a disk keeps what was written, whatever the writer does with its buffer once that was done', async () => {
  for (const seed of seeds) {
    const bench = new Bench(seed)
    const file = await bench.file(100)
    const buffer = Buffer.alloc(10, 2)
    await bench.run(file.write([buffer], 0))
    buffer.fill(3)
    await bench.run(file.sync())
    await bench.run(bench.mounted.replaceFile('/data/other', buffer))
    buffer.fill(4)
    bench.disk.cutPower()
    bench.restart()
    expect((await bench.content())!.slice(0, 11)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1])
    expect(await bench.content('/data/other')).toEqual([3, 3, 3, 3, 3, 3, 3, 3, 3, 3])
  }
})

test('a kill keeps what was written; of a write under way all, a part or nothing', async () => {
  const seen = new Set<string>()
  for (const seed of seeds) {
    const bench = new Bench(seed)
    const file = await bench.file(100)
    await bench.run(file.write([new Uint8Array(10).fill(2)], 0))
    void file.write([new Uint8Array(10).fill(3)], 10)
    bench.restart()
    const content = (await bench.content())!
    expect(content.slice(0, 10).every((byte) => byte === 2)).toBe(true)
    const threes = content.filter((byte) => byte === 3).length
    expect(content.slice(10, 10 + threes).every((byte) => byte === 3)).toBe(true)
    seen.add(threes === 0 ? 'nothing' : threes === 10 ? 'all' : 'a part')
  }
  expect(seen).toEqual(new Set(['a part', 'all', 'nothing']))
})

test('a power cut keeps what was synced; of the rest some is kept, lost, torn within a byte range, or out of order', async () => {
  const seen = new Set<string>()
  for (const seed of Array.from({ length: 200 }, (_, at) => at)) {
    const bench = new Bench(seed)
    const file = await bench.file(4_000)
    const writes = [0, 1_000, 2_000].map((at) => file.write([new Uint8Array(1_000).fill(2)], at))
    await bench.run(Promise.all(writes))
    bench.disk.cutPower()
    bench.restart()
    const content = (await bench.content())!
    expect(content).toHaveLength(4_000)
    expect(content.slice(3_000).every((byte) => byte === 1)).toBe(true)
    expect(content.every((byte) => byte === 1 || byte === 2)).toBe(true)
    const parts = [0, 1_000, 2_000].map((at) => content.slice(at, at + 1_000).filter((byte) => byte === 2).length)
    for (const part of parts) {
      seen.add(part === 0 ? 'lost' : part === 1_000 ? 'kept' : part % 8 === 0 ? 'torn by sectors' : 'torn at a byte')
    }
    if (parts[0] === 0 && parts[2] === 1_000) seen.add('out of order')
  }
  expect([...seen].toSorted()).toEqual(['kept', 'lost', 'out of order', 'torn at a byte', 'torn by sectors'])
})

test('a name that was not synced may be gone after a power cut, one that was synced is there', async () => {
  const seen = new Set<string>()
  for (const seed of Array.from({ length: 200 }, (_, at) => at)) {
    const bench = new Bench(seed)
    await bench.file()
    const file = await bench.run(bench.mounted.open('/data/new'))
    await bench.run(file.write([Uint8Array.of(1)], 0))
    await bench.run(file.sync())
    await bench.run(bench.mounted.remove('/data/file'))
    bench.disk.cutPower()
    bench.restart()
    seen.add((await bench.run(bench.mounted.list('/data'))).join(' '))
  }
  expect([...seen].toSorted()).toEqual(['file', 'file new', 'new'])
})

test('a file that is replaced is the old one or the new one after a power cut, and the new one once that is done', async () => {
  const seen = new Set<number | undefined>()
  for (const seed of seeds) {
    const bench = new Bench(seed)
    await bench.run(bench.mounted.makeFolder('/data'))
    await bench.run(bench.mounted.replaceFile('/data/file', Uint8Array.of(1, 1)))
    void bench.mounted.replaceFile('/data/file', Uint8Array.of(2, 2))
    bench.disk.cutPower()
    bench.restart()
    const content = (await bench.content())!
    expect(content).toHaveLength(2)
    expect(content[0]).toBe(content[1])
    seen.add(content[0])
    await bench.run(bench.mounted.replaceFile('/data/file', Uint8Array.of(3, 3)))
    bench.disk.cutPower()
    bench.restart()
    expect(await bench.content()).toEqual([3, 3])
  }
  expect(seen).toEqual(new Set([1, 2]))
})

test('[FE3] after a sync that failed, a later one that works does not bring back what the first was to write', async () => {
  const seen = new Set<string>()
  for (const seed of seeds) {
    const bench = new Bench(seed)
    const file = await bench.file(100)
    await bench.run(file.write([Uint8Array.of(2)], 0))
    bench.disk.failNext('sync')
    await expect(bench.run(file.sync())).rejects.toMatchObject({ code: 'EIO' })
    await bench.run(file.write([Uint8Array.of(3)], 1))
    await bench.run(file.sync())
    const before = (await bench.content())!.slice(0, 2)
    bench.disk.cutPower()
    bench.restart()
    const after = (await bench.content())!.slice(0, 2)
    expect([before[1], after[1]]).toEqual([3, 3])
    seen.add(`${before[0]} then ${after[0]}`)
  }
  expect([...seen].toSorted()).toEqual(['1 then 1', '2 then 1', '2 then 2'])
})

test('a full disk takes a part of a write and says so; what lies there can be written over', async () => {
  const bench = new Bench(5)
  const file = await bench.file(100)
  bench.disk.setCapacity(110)
  await expect(bench.run(file.write([new Uint8Array(30).fill(2)], 90))).rejects.toMatchObject({ code: 'ENOSPC' })
  expect((await bench.content())!.filter((byte) => byte === 2)).toHaveLength(20)
  await bench.run(file.write([new Uint8Array(110).fill(3)], 0))
  expect(bench.disk.usedBytes).toBe(110)
  bench.disk.setCapacity(Infinity)
  await bench.run(file.write([new Uint8Array(30).fill(2)], 110))
  expect([bench.disk.usedBytes, bench.world.counts.of('disk full')]).toEqual([140, 1])
})

test('failures of the plan happen at their rates and are counted', async () => {
  const bench = new Bench(6)
  const file = await bench.file(100)
  bench.world.setFaults({ ...noFaults, disk: { ...noFaults.disk, writeFailureRate: 0.3, syncFailureRate: 0.3 } })
  let failed = 0
  for (let round = 0; round < 100; round++) {
    await bench.run(file.write([Uint8Array.of(1)], 0)).catch(() => (failed += 1))
    await bench.run(file.sync()).catch(() => (failed += 1))
  }
  expect(failed).toBe(bench.world.counts.of('failed write') + bench.world.counts.of('failed sync'))
  expect(failed).toBeGreaterThan(30)
  expect(failed).toBeLessThan(100)
})

test('one flipped bit changes one byte', async () => {
  const bench = new Bench(7)
  await bench.file(100)
  const at = bench.disk.flipBit('/data/file')!
  const content = (await bench.content())!
  expect(content.filter((byte) => byte !== 1)).toHaveLength(1)
  expect(content[at]).not.toBe(1)
  expect(bench.disk.flipBit('/data/missing')).toBeUndefined()
})

test('[FE4] a folder is held once, until it is given back or its process ends', async () => {
  const bench = new Bench(8)
  await bench.file()
  const lock = await bench.run(bench.mounted.lock('/data'))
  await expect(bench.run(bench.mounted.lock('/data'))).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
  lock.release()
  await bench.run(bench.mounted.lock('/data'))
  bench.restart()
  const second = await bench.run(bench.mounted.lock('/data'))
  lock.release()
  await expect(bench.run(bench.mounted.lock('/data'))).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
  second.release()
  await bench.run(bench.mounted.lock('/data'))
})

test('a process can be ended in the midst of any operation, and never hears of that one', async () => {
  for (const how of ['kill', 'power cut'] as const) {
    const bench = new Bench(9)
    const file = await bench.file(100)
    bench.disk.endAfter(2, how)
    await bench.run(file.write([Uint8Array.of(2)], 0))
    await bench.run(file.sync())
    let heard = false
    const hear = (): void => {
      heard = true
    }
    file.sync().then(hear, hear)
    await bench.world.runFor(1_000)
    expect([heard, bench.world.member('a').alive]).toEqual([false, false])
    expect(() => file.syncNow()).toThrow('ended')
  }
})
