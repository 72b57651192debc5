import { describe, expect, test } from 'vitest'
import { ChainWriter, contractDigest, contractJournal } from './journal-contract.ts'
import { Fold } from './fold.ts'

const newFold = (): Fold => new Fold(contractJournal, contractDigest)
const corrupt = (reason: RegExp) =>
  expect.objectContaining({
    code: 'JOURNAL_CORRUPT',
    details: expect.objectContaining({ reason: expect.stringMatching(reason) }),
  })

/** A fold that has accepted an OPEN and two batches, and the writer of these. */
function started() {
  const fold = newFold()
  const writer = new ChainWriter(1)
  for (const kind of ['OPEN', 'BATCH', 'BATCH'] as const)
    fold.offer({ position: writer.next, bytes: writer.seal(kind) })
  return { fold, writer }
}

describe('the accept rule', () => {
  test('[JR3] what continues the chain at its place is accepted, and moves the head by one', () => {
    const { fold, writer } = started()
    expect(fold.head).toMatchObject({ epoch: 1, index: 3, next: 4 })
    const position = writer.next
    expect(fold.offer({ position, bytes: writer.seal('BATCH') }).kind).toBe('accepted')
    expect(fold.head).toEqual(writer.head)
  })

  test('[JR3] [A4] records of an older epoch are void, also where the place fits and whoever reads', () => {
    const { fold, writer } = started()
    const next = new ChainWriter(2, fold.head)
    fold.offer({ position: 4, bytes: next.seal('OPEN') })
    writer.seal('BATCH')
    const late = writer.seal('BATCH')
    const other = fold.fork()
    expect(fold.offer({ position: 5, bytes: late })).toMatchObject({ kind: 'void', reason: 'other epoch' })
    expect(other.offer({ position: 5, bytes: late }).kind).toBe('void')
    expect(fold.head).toMatchObject({ epoch: 2, index: 4, next: 6 })
    expect(fold.voids).toBe(1)
    next.continueFrom(fold.head)
    expect(fold.offer({ position: 6, bytes: next.seal('BATCH') }).kind).toBe('accepted')
  })

  test('[JR3] found elsewhere than it aimed is void', () => {
    const { fold, writer } = started()
    const twice = writer.seal('BATCH')
    fold.offer({ position: 4, bytes: twice })
    expect(fold.offer({ position: 5, bytes: twice })).toMatchObject({ kind: 'void', reason: 'found elsewhere' })
    expect(fold.head).toMatchObject({ index: 4, next: 6 })
  })

  test('[JR3] what follows an absent record of its window is void', () => {
    const { fold, writer } = started()
    const displaced = writer.seal('BATCH')
    const behind = writer.seal('BATCH')
    expect(fold.offer({ position: 4, bytes: behind })).toMatchObject({ kind: 'void', reason: 'found elsewhere' })
    expect(fold.offer({ position: 5, bytes: displaced })).toMatchObject({ kind: 'void' })
    const third = writer.seal('BATCH')
    expect(fold.offer({ position: 6, bytes: third })).toMatchObject({ kind: 'void', reason: 'broken window' })
  })

  test('[JR3] of two OPENs of an epoch the first is accepted and the other void', () => {
    const { fold } = started()
    const [one, other] = [new ChainWriter(2, fold.head), new ChainWriter(3, fold.head)]
    expect(fold.offer({ position: 4, bytes: one.seal('OPEN') }).kind).toBe('accepted')
    expect(fold.offer({ position: 5, bytes: other.seal('OPEN') })).toMatchObject({
      kind: 'void',
      reason: 'found elsewhere',
    })
    expect(fold.head.epoch).toBe(2)
  })
})

describe('damage', () => {
  test('[JR3] a void record whose acked reaches beyond history proves a loss', () => {
    const { fold, writer } = started()
    const twice = writer.seal('BATCH', { acked: 4 })
    expect(() => fold.offer({ position: 4, bytes: writer.seal('BATCH', { acked: 4 }) })).toThrow(
      corrupt(/index 4 was acked/),
    )
    expect(fold.head).toMatchObject({ index: 3, next: 4 })
    expect(fold.offer({ position: 4, bytes: twice }).kind).toBe('accepted')
  })

  test('[JR3] a record of a later epoch, or of an index that others have, proves a loss', () => {
    const { fold } = started()
    const later = new ChainWriter(2, { ...fold.head, epoch: 5 })
    expect(() => fold.offer({ position: 4, bytes: later.seal('BATCH') })).toThrow(corrupt(/are not there/))
    const skipped = new ChainWriter(2, { ...fold.head, epoch: 2 })
    expect(() => fold.offer({ position: 4, bytes: skipped.seal('OPEN') })).toThrow(corrupt(/are not there/))
    const forked = new ChainWriter(2, { ...fold.head, hash: new Uint8Array(16) })
    expect(() => fold.offer({ position: 4, bytes: forked.seal('BATCH') })).toThrow(corrupt(/are not there/))
  })

  test('[JR3] a gap, a broken checksum, a cut record, trailing bytes and another journal are JOURNAL_CORRUPT', () => {
    const { fold, writer } = started()
    const bytes = writer.seal('BATCH')
    const flipped = bytes.with(100, bytes[100]! ^ 1)
    expect(() => fold.offer({ position: 5, bytes })).toThrow(corrupt(/position 4 is missing/))
    expect(() => fold.offer({ position: 4, bytes: flipped })).toThrow(corrupt(/checksum/))
    expect(() => fold.offer({ position: 4, bytes: bytes.subarray(0, 110) })).toThrow(corrupt(/cut short/))
    expect(() => fold.offer({ position: 4, bytes: Buffer.concat([bytes, bytes]) })).toThrow(corrupt(/bytes follow/))
    const stranger = new Fold(new Uint8Array(16), contractDigest, fold.head)
    expect(() => stranger.offer({ position: 4, bytes })).toThrow(corrupt(/another journal/))
    expect(fold.offer({ position: 4, bytes }).kind).toBe('accepted')
  })
})
