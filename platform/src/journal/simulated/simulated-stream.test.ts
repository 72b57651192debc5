// The simulated stream under faults by chance, and the situations that the contract suite does not make.
import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { World } from '../../runtime/simulated/index.ts'
import { ChainWriter } from '../contract/chain-writer.ts'
import { RoughCrowd, type CrowdReport } from '../contract/rough-crowd.ts'
import { streamIn } from '../contract/world-stream.ts'
import type { Found } from '../journal.ts'
import { calmStream, roughStream, type SimulatedStream, type StreamFault, type StreamFaults } from './index.ts'

interface Run extends CrowdReport {
  readonly world: World
  readonly stream: SimulatedStream
  readonly digest: string
}

/** Three members write and one follows, all under faults; then the faults end and everything comes to rest. */
async function run(seed: number, faults: StreamFaults, level: 'quorum' | 'quorum-disk' = 'quorum-disk'): Promise<Run> {
  const world = new World({ seed })
  const stream = streamIn(world, { faults, level })
  const crowd = new RoughCrowd(world)
  const journals = [0, 1, 2].map(() => stream.journalFor())
  const abort = new AbortController()
  const following = crowd.follow(stream.journalFor(), abort.signal)
  const writing = Promise.all(journals.map((journal, member) => crowd.write(journal, member, 25)))
  await world.complete(writing, { maxMs: 1_000_000 })
  stream.setFaults(calmStream)
  await world.runFor(30_000)
  abort.abort()
  await world.complete(following)
  const report = crowd.report()
  const seen = JSON.stringify([report.outcomes, stream.counts, world.now, report.acked.map(({ position }) => position)])
  const digest = hash('sha256', seen + report.followed.map((found) => texts(found).join()).join())
  return { ...report, world, stream, digest }
}

function texts(found: readonly Found[]): readonly string[] {
  return found.map(({ position, bytes }) => `${position}:${Buffer.from(bytes).toString('hex')}`)
}

test('one seed gives one run, another seed another', async () => {
  const [first, again, other] = [await run(1, roughStream), await run(1, roughStream), await run(2, roughStream)]
  expect(again.digest).toBe(first.digest)
  expect(again.world.trace.hash).toBe(first.world.trace.hash)
  expect(other.digest).not.toBe(first.digest)
})

test('under every fault that quorum-disk allows, what was acked stands where the ack said, and followers miss nothing', async () => {
  const counts = new Map<string, number>()
  const probes = new Set<string>()
  let elsewhere = 0
  for (let seed = 1; seed <= 20; seed++) {
    const { acked, followed, stream, world, outcomes } = await run(seed, roughStream)
    const records = stream.records()
    for (const { position, aim, bytes } of acked) {
      expect(Buffer.from(records[position - 1]!.bytes)).toEqual(Buffer.from(bytes))
      if (position !== aim) elsewhere += 1
    }
    const written = texts(records)
    for (const found of followed) expect(texts(found)).toEqual(written.slice(0, found.length))
    expect(followed.at(-1)).toHaveLength(records.length)
    for (const [name, count] of Object.entries({ ...stream.counts, ...outcomes })) {
      counts.set(name, (counts.get(name) ?? 0) + count)
    }
    for (const name of Object.keys(world.probes.all())) probes.add(name)
  }
  const allowed = Object.entries(roughStream).flatMap(([fault, rate]) => (rate > 0 ? [fault] : []))
  const snapshotsAside = allowed.filter((fault) => fault !== 'snapshotFailures')
  for (const name of [...snapshotsAside, 'acked', 'refused', 'unknown', 'unavailable']) {
    expect.soft(counts.get(name), name).toBeGreaterThan(0)
  }
  expect(counts.get('regressions')).toBe(0)
  expect(counts.get('forks')).toBe(0)
  expect(elsewhere).toBeGreaterThan(0)
  expect([...probes].toSorted()).toEqual([
    'gap in what was announced',
    'proposals survived an election',
    'publish met an old leader',
    'record landed elsewhere',
    'tail of an old leader',
  ])
})

test('[JR5] at level quorum acked records get lost and others take their places, and the stream answers normally', async () => {
  let lost = 0
  const losing: StreamFaults = { ...calmStream, regressions: 0.05, forks: 0.05 }
  for (let seed = 1; seed <= 5; seed++) {
    const { acked, stream } = await run(seed, losing, 'quorum')
    const records = stream.records()
    for (const { position, bytes } of acked) {
      const found = records[position - 1]
      if (found === undefined || !Buffer.from(found.bytes).equals(bytes)) lost += 1
    }
    expect(stream.counts.regressions).toBeGreaterThan(0)
    expect(stream.counts.forks).toBeGreaterThan(0)
  }
  expect(lost).toBeGreaterThan(0)
})

test.for<StreamFault>(['regressions', 'forks'])('[JR6] a stream of level quorum-disk refuses to have %s', (fault) => {
  const world = new World({ seed: 1 })
  expect(() => streamIn(world, { faults: { ...calmStream, [fault]: 0.1 } })).toThrow('level quorum')
  const stream = streamIn(world, { faults: calmStream })
  expect(() => (fault === 'forks' ? stream.fork() : stream.regress(1))).toThrow('level quorum')
})

test('[JR5] a tail that goes back ends what follows, so that the member looks for itself', async () => {
  const world = new World({ seed: 1 })
  const stream = streamIn(world, { faults: calmStream, level: 'quorum' })
  const journal = stream.journalFor()
  const writer = new ChainWriter(0)
  for (let position = 1; position <= 5; position++)
    await world.complete(journal.append(position, writer.seal(position === 1 ? 'OPEN' : 'BATCH')))
  const seen: number[] = []
  const following = (async () => {
    for await (const { position } of journal.follow(1, new AbortController().signal)) seen.push(position)
  })()
  await world.runFor(1_000)
  stream.regress(2)
  const error: unknown = await world.complete(following).catch((reason: unknown) => reason)
  expect(seen).toEqual([1, 2, 3, 4, 5])
  expect(isPlenumError(error, 'JOURNAL_UNAVAILABLE') && error.details['reason']).toBe('tail went back')
})

test('a member that is cut off sends into the void, then knows it, and is back at once when the cut heals', async () => {
  const world = new World({ seed: 1 })
  const stream = streamIn(world, { faults: calmStream })
  let cut = false
  const journal = stream.journalFor({ reachable: () => !cut })
  const other = stream.journalFor()
  const writer = new ChainWriter(0)
  const following = journal.follow(1, new AbortController().signal)[Symbol.asyncIterator]()
  cut = true
  const lost = writer.seal('OPEN')
  expect(await world.complete(journal.append(1, lost))).toEqual({ kind: 'unknown' })
  await expect(world.complete(journal.open())).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' })
  await world.runFor(2_000)
  expect(await world.complete(journal.append(1, lost))).toEqual({ kind: 'unavailable' })
  const bytes = new ChainWriter(1).seal('OPEN')
  expect(await world.complete(other.append(1, bytes))).toEqual({ kind: 'acked', position: 1 })
  cut = false
  expect(await world.complete(journal.append(1, lost))).toEqual({ kind: 'refused' })
  expect(await world.complete(following.next())).toMatchObject({ value: { position: 1 } })
})

test('one direction may be cut alone: what arrives is stored, and the member does not learn it', async () => {
  const world = new World({ seed: 1 })
  const stream = streamIn(world, { faults: calmStream })
  const deaf = stream.journalFor({ reachable: (direction) => direction === 'out' })
  expect(await world.complete(deaf.append(1, new ChainWriter(0).seal('OPEN')))).toEqual({ kind: 'unknown' })
  expect(stream.records()).toHaveLength(1)
})

test('what was sent before its process ended is stored all the same, and nobody is told', async () => {
  const world = new World({ seed: 1 })
  const stream = streamIn(world, { faults: calmStream })
  const member = world.member('a')
  const journal = stream.journalFor({ timers: member.runtime().timers })
  let told = false
  const tell = (): void => void (told = true)
  journal.append(1, new ChainWriter(0).seal('OPEN')).then(tell, tell)
  journal.open().then(tell, tell)
  journal.follow(1, new AbortController().signal)[Symbol.asyncIterator]().next().then(tell, tell)
  member.kill()
  journal.sever()
  await world.runFor(5_000)
  expect(stream.records()).toHaveLength(1)
  expect(told).toBe(false)
})

test('a paused member hears of its acks when it goes on', async () => {
  const world = new World({ seed: 1 })
  const stream = streamIn(world, { faults: calmStream })
  const member = world.member('a')
  const journal = stream.journalFor({ timers: member.runtime().timers })
  let outcome: string | undefined
  void journal.append(1, new ChainWriter(0).seal('OPEN')).then(({ kind }) => (outcome = kind))
  member.pause()
  await world.runFor(10_000)
  expect(stream.records()).toHaveLength(1)
  expect(outcome).toBeUndefined()
  member.resume()
  await world.runFor(10)
  expect(outcome).toBe('acked')
})

test('[JR7] a snapshot store that does not answer may have kept the snapshot all the same', async () => {
  const world = new World({ seed: 3 })
  const stream = streamIn(world, { faults: { ...calmStream, snapshotFailures: 0.5 } })
  const journal = stream.journalFor()
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10)
  }
  const kept: boolean[] = []
  for (let index = 1; index <= 40; index++) {
    const saving = world.complete(journal.saveSnapshot(index, chunks(), () => 'aa'))
    const error: unknown = await saving.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error === undefined) continue
    expect(isPlenumError(error, 'JOURNAL_UNAVAILABLE')).toBe(true)
    stream.setFaults(calmStream)
    kept.push((await world.complete(journal.loadSnapshot({ index, hash: 'aa' }))) !== undefined)
    stream.setFaults({ ...calmStream, snapshotFailures: 0.5 })
  }
  expect(new Set(kept)).toEqual(new Set([true, false]))
})
