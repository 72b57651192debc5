import { expect, test } from 'vitest'
import { isPlenumError, type PlenumError } from '../../kernel/index.ts'
import type { FileLog } from './file-log.ts'
import { groupHeaderBytes, segmentHeaderBytes } from './layout.ts'
import { contents, LogBench } from './contract/log-bench.ts'

const first = '00000001.log'
const startBytes = groupHeaderBytes + 16

/** Two journals, ten groups of one record each; the last record is the fifth of the second journal. */
async function tenGroups(bench: LogBench): Promise<{ readonly files: Map<string, Buffer>; readonly last: number }> {
  const log = await bench.open()
  await bench.append(log, 9)
  const last = await used(bench)
  await bench.append(log, 1)
  return { files: new Map(await bench.files()), last }
}

/** Where the zeros of the first segment begin. */
async function used(bench: LogBench): Promise<number> {
  const bytes = (await bench.files()).get(first)!
  return bytes.findLastIndex((byte) => byte !== 0) + 1
}

async function openError(bench: LogBench): Promise<PlenumError> {
  const error: unknown = await bench.open().catch((reason: unknown) => reason)
  if (isPlenumError(error)) return error
  throw new Error('the log opened', { cause: error })
}

async function lengths(log: FileLog): Promise<readonly number[]> {
  return [(await contents(log, 0)).length, (await contents(log, 1)).length]
}

test.for(['zeros follow', 'the file ends'] as const)(
  '[FE1] a last group that was written up to any byte, after which %s, is cut, reported, and nothing else is lost',
  async (after) => {
    await using bench = await LogBench.make()
    const { files, last } = await tenGroups(bench)
    const whole = files.get(first)!
    const end = whole.findLastIndex((byte) => byte !== 0) + 1
    for (let at = last; at < end; at += 1) {
      const torn = Buffer.from(whole).fill(0, at)
      const bytes = after === 'zeros follow' ? torn : torn.subarray(0, at)
      await bench.restore(new Map([[first, bytes]]))
      const log = await bench.open()
      expect(await lengths(log)).toEqual([5, 4])
      const cut = bench.events.find(({ kind }) => kind === 'torn tail')
      // Whether zeros were written or nothing was, nobody can tell; there is nothing to cut then.
      const dirty = torn.subarray(last).some((byte) => byte !== 0)
      if (dirty)
        expect(cut).toMatchObject({ file: `${bench.folder}/${first}`, offset: last, bytes: expect.any(Number) })
      else expect(cut).toBeUndefined()
      expect(await log.append(1, 5, Buffer.from('another'))).toMatchObject({ kind: 'acked' })
      await log.close()
    }
  },
)

test('[FE1] [JR9] a flipped bit anywhere before the last group is corruption, with file, byte, and what may be lost', async () => {
  await using bench = await LogBench.make()
  const { files, last } = await tenGroups(bench)
  const whole = files.get(first)!
  // Every byte of the segment's header, of START and of the first two groups, then every seventh, then the ninth group.
  const places = [...Array(400).keys(), ...range(400, last - 100, 7), ...range(last - 100, last, 1)]
  for (const at of places) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 1 << (at % 8)
    await bench.restore(new Map([[first, bytes]]))
    const error = await openError(bench)
    expect(error.code).toBe('JOURNAL_CORRUPT')
    const { file, offset } = error.details as { file: string; offset: number }
    expect(file).toBe(`${bench.folder}/${first}`)
    expect(offset).toBeLessThanOrEqual(at)
    if (at >= segmentHeaderBytes) expect(offset).toBeGreaterThan(at - 100)
    expect(await bench.files()).toEqual(new Map([[first, bytes]]))
  }
})

test('[FE1] a flipped bit in the last group, which nothing says was synced, is cut like a torn write', async () => {
  await using bench = await LogBench.make()
  const { files, last } = await tenGroups(bench)
  const whole = files.get(first)!
  const end = whole.findLastIndex((byte) => byte !== 0) + 1
  for (let at = last; at < end; at += 1) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 1 << (at % 8)
    await bench.restore(new Map([[first, bytes]]))
    const log = await bench.open()
    expect(await lengths(log)).toEqual([5, 4])
    expect(bench.events[0]).toMatchObject({ kind: 'torn tail', offset: last, bytes: end - last })
    await log.close()
  }
})

test('[FE1] after an orderly end the last record is known to be synced: a flipped bit in it is corruption', async () => {
  await using bench = await LogBench.make()
  const { last } = await tenGroups(bench)
  await using second = await LogBench.make()
  const log = await second.open()
  await second.append(log, 10)
  await log.close()
  const whole = (await second.files()).get(first)!
  const mark = (await used(second)) - groupHeaderBytes
  for (const at of range(last, mark, 3)) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 1 << (at % 8)
    await second.restore(new Map([[first, bytes]]))
    expect(await openError(second)).toMatchObject({ code: 'JOURNAL_CORRUPT', details: { offset: last } })
  }
  // The mark itself says nothing that anybody would miss.
  for (let at = mark; at < mark + groupHeaderBytes; at += 1) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 1 << (at % 8)
    await second.restore(new Map([[first, bytes]]))
    const again = await second.open()
    expect(await lengths(again)).toEqual([5, 5])
    await again.close()
  }
})

test('[FE1] a while after the last append a mark says that it was synced', async () => {
  await using unmarked = await LogBench.make()
  const other = await unmarked.open()
  await unmarked.append(other, 4)
  const end = await used(unmarked)
  await other.close()
  await using bench = await LogBench.make({ markMs: 1 })
  const log = await bench.open()
  await bench.append(log, 4)
  await expect.poll(() => used(bench)).toBe(end + groupHeaderBytes)
  const bytes = (await bench.files()).get(first)!
  bytes[end - 5]! ^= 1
  await bench.restore(new Map([[first, bytes]]))
  expect(await openError(bench)).toMatchObject({ code: 'JOURNAL_CORRUPT' })
})

test('[FE1] a flipped bit in the zeros behind the end loses nothing', async () => {
  await using bench = await LogBench.make()
  const { files } = await tenGroups(bench)
  const whole = files.get(first)!
  const end = whole.findLastIndex((byte) => byte !== 0) + 1
  for (const at of [end, end + 1, end + 39, end + 40, end + 700, whole.length - 1]) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 1 << (at % 8)
    await bench.restore(new Map([[first, bytes]]))
    const log = await bench.open()
    expect(await lengths(log)).toEqual([5, 5])
    await bench.append(log, 2)
    await log.close()
    const again = await bench.open()
    expect(await lengths(again)).toEqual([6, 6])
    await again.close()
  }
})

test('[FE1] a log over several segments: damage, a missing file, and a file of another place are corruption', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  await bench.append(log, 60, 700)
  const files = new Map(await bench.files())
  await log.close()
  const names = [...files.keys()].toSorted()
  expect(names.length).toBeGreaterThanOrEqual(5)
  const [one, two, three] = [files.get(names[0]!)!, files.get(names[1]!)!, files.get(names[2]!)!]
  const damaged: [string, Map<string, Buffer>][] = [
    ['the first file is gone and the second is not an opening', new Map([...files, [names[0]!, two]])],
    ['a file in the middle is gone', new Map([...files].filter(([name]) => name !== names[1]))],
    ['two files are swapped', new Map([...files, [names[1]!, three], [names[2]!, two]])],
    ['a file is empty', new Map([...files, [names[1]!, Buffer.alloc(0)]])],
    ['a file is all zeros', new Map([...files, [names[1]!, Buffer.alloc(two.length)]])],
    ['the groups of a file are zeros', new Map([...files, [names[1]!, Buffer.from(two).fill(0, 64)]])],
    ['an old copy of the file is back', new Map([...files, [names[0]!, Buffer.from(one).fill(0, 3000)]])],
    ['a file is half as long', new Map([...files, [names[1]!, two.subarray(0, 4096)]])],
    ['all files are gone', new Map()],
  ]
  for (const [what, state] of damaged) {
    await bench.restore(state)
    expect({ what, code: (await openError(bench)).code }).toEqual({ what, code: 'JOURNAL_CORRUPT' })
  }
  await bench.restore(files)
  expect(await lengths(await bench.open())).toEqual([30, 30])
})

test('[FE1] the residue of a failed write at the end of a full segment is no damage', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  await bench.append(log, 30, 700)
  const files = new Map(await bench.files())
  const bytes = Buffer.from(files.get(first)!)
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1
  expect(end).toBeLessThan(bytes.length)
  bytes.fill(0xee, end)
  await bench.restore(new Map([...files, [first, bytes]]))
  expect(await lengths(await bench.open())).toEqual([15, 15])
})

test('[FE1] at level os a hole that a power cut left is cut with all that follows, and new records take its place', async () => {
  await using bench = await LogBench.make({ level: 'os' })
  const { files } = await tenGroups(bench)
  const whole = files.get(first)!
  const size = groupHeaderBytes + 8 + 48
  const sixth = segmentHeaderBytes + startBytes + 5 * size
  await bench.restore(new Map([[first, Buffer.from(whole).fill(0, sixth, sixth + size)]]))
  const log = await bench.open()
  expect(await lengths(log)).toEqual([3, 2])
  expect(bench.events[0]).toMatchObject({ kind: 'torn tail', offset: sixth, bytes: 5 * size })
  await bench.append(log, 2)
  await bench.restore(await bench.files())
  expect(await lengths(await bench.open())).toEqual([4, 3])
})

test('[FE1] at level disk the same hole is corruption, because each group waits for the sync of the one before', async () => {
  await using bench = await LogBench.make()
  const { files } = await tenGroups(bench)
  const whole = files.get(first)!
  const size = groupHeaderBytes + 8 + 48
  const sixth = segmentHeaderBytes + startBytes + 5 * size
  await bench.restore(new Map([[first, Buffer.from(whole).fill(0, sixth, sixth + size)]]))
  expect(await openError(bench)).toMatchObject({ code: 'JOURNAL_CORRUPT', details: { offset: sixth } })
})

test('a segment whose making was interrupted is removed and reported', async () => {
  await using bench = await LogBench.make()
  const { files } = await tenGroups(bench)
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(40), Buffer.alloc(8192)]) {
    await bench.restore(new Map([...files, ['00000002.log', bytes]]))
    const log = await bench.open()
    expect(bench.events[0]).toEqual({ kind: 'unfinished segment', file: `${bench.folder}/00000002.log` })
    expect(await lengths(log)).toEqual([5, 5])
    await log.close()
  }
})

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step)
}
