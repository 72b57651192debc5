import { expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { nodeRuntime } from '../../runtime/node/index.ts'
import { ChainWriter, journalContract } from '../journal-contract.ts'
import { MemoryJournal } from './memory-engine.ts'

journalContract('memory', {
  secondConnection: 'separate',
  keepsRecords: false,
  trimsExactly: true,
  faults: [],
  create: () =>
    Promise.resolve({
      connect: () => Promise.resolve(new MemoryJournal()),
      run: (promise) => promise,
      inject: () => {
        throw new Error('the memory engine has no faults')
      },
      release: () => Promise.resolve(),
      dispose: () => Promise.resolve(),
    }),
})

test('only the newest records are kept, and a reader that asks for older ones is told so', async () => {
  const journal = new MemoryJournal({ keptBytesMax: 10_000 })
  const writer = new ChainWriter(0)
  for (let position = 1; position <= 5_000; position++) await journal.append(position, writer.seal('BATCH'))
  const { first, next } = await journal.open()
  expect(next).toBe(5_001)
  expect(next - first).toBe(Math.floor(10_000 / 120))
  const error: unknown = await journal
    .read(first - 1)
    [Symbol.asyncIterator]()
    .next()
    .catch((reason: unknown) => reason)
  expect(isPlenumError(error, 'JOURNAL_CORRUPT') && error.details).toEqual({
    position: first - 1,
    first,
    reason: 'trimmed',
  })
})

test('a record larger than what is kept is still there until the next one comes', async () => {
  const journal = new MemoryJournal({ keptBytesMax: 100 })
  const writer = new ChainWriter(0)
  await journal.append(1, writer.seal('OPEN', { bodyBytes: 1_000 }))
  expect(await journal.open()).toMatchObject({ first: 1, next: 2 })
  await journal.append(2, writer.seal('BATCH'))
  expect(await journal.open()).toMatchObject({ first: 2, next: 3 })
})

test('callers that ask again as soon as they are answered do not keep timers waiting', async () => {
  const journal = new MemoryJournal({ runtime: nodeRuntime() })
  const writer = new ChainWriter(0)
  let fired = false
  setTimeout(() => (fired = true), 1)
  for (let position = 1; !fired && position <= 500_000; position++) await journal.append(position, writer.seal('BATCH'))
  expect(fired).toBe(true)
})
