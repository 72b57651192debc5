import { expect, test } from 'vitest'
import type { Request, Watched, WatchPlace } from '../space/index.ts'
import { Answers, PartitionBench, write } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

/** Asks what changed since a place, under a name; waits so many milliseconds. */
function watch(id: string, since: WatchPlace | undefined, ms: number): Request {
  return { command: { kind: 'watch', type: 'item', where: { n: { gte: 0 } }, initial: true, since, wait: { id, ms } } }
}

test('[WA1] a watch tells only what is acked, and the present state only when all of it is', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  const answers = new Answers()
  await partition.submit(write('old', 1))
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  expect(begun).toMatchObject({ kind: 'initial', entries: [{ id: 'old' }] })
  answers.watch('waits', partition.submit(watch('w', begun.place, 1_000)))
  bench.stream.fate = 'held'
  answers.watch('write', partition.submit(write('new', 2)))
  answers.watch('begins', partition.submit(watch('v', undefined, 0)))
  answers.watch('asks', partition.submit(watch('u', begun.place, 0)))
  await turns()
  expect(answers.order).toEqual(['asks'])
  expect(answers.of('asks')).toMatchObject({ value: { commits: [], place: begun.place } })
  bench.stream.release()
  await turns()
  expect(answers.of('waits')).toMatchObject({
    value: { kind: 'changes', commits: [{ changes: [{ kind: 'added', entry: { id: 'new' } }] }] },
  })
  expect(answers.of('begins')).toMatchObject({ value: { entries: [{ id: 'old' }, { id: 'new' }] } })
})

test('[WA1] a watch that waits is told nothing at its end, and goes on from where it looked', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  const answers = new Answers()
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  answers.watch('waits', partition.submit(watch('w', begun.place, 100)))
  await partition.submit(write('below', -1))
  await bench.runtime.advance(120)
  const { value } = answers.of('waits') as { readonly value: Watched & { readonly kind: 'changes' } }
  expect(value).toMatchObject({ kind: 'changes', commits: [] })
  expect(value.place.change).toBe(begun.place.change + 1)
  answers.watch('cancelled', partition.submit(watch('x', value.place, 100)))
  expect(await partition.submit({ command: { kind: 'cancel', wait: 'x' } })).toBe(true)
  expect(answers.of('cancelled')).toMatchObject({ value: { commits: [] } })
  answers.watch('left', partition.submit(watch('y', value.place, 100)))
  await partition.close()
  expect(answers.of('left')).toEqual({ code: 'NOT_PRIMARY' })
})
