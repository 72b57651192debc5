import { expect, test } from 'vitest'
import { nodeRuntime } from '../../runtime/node/index.ts'
import { SharedDigests } from './shared-digests.ts'

/** A runtime that counts its digests. */
function counting() {
  const runtime = nodeRuntime()
  let digests = 0
  return {
    runtime: {
      ...runtime,
      digest: (parts: readonly Uint8Array[]) => {
        digests += 1
        return runtime.digest(parts)
      },
    },
    count: () => digests,
  }
}

test('a stored record is digested once, whoever reads it, and the digest is that of the runtime', () => {
  const shared = new SharedDigests()
  const [one, other] = [counting(), counting()]
  const record = Uint8Array.from({ length: 200 }, (_, at) => at)
  const first = shared.through(one.runtime).digest([record])
  const again = shared.through(other.runtime).digest([record.subarray()])
  expect(first).toEqual(nodeRuntime().digest([record]))
  expect(again).toEqual(first)
  expect([one.count(), other.count()]).toEqual([1, 0])
})

test('a record that was sealed anew in its buffer is digested again, and so are views and parts', () => {
  const { runtime, count } = counting()
  const digest = new SharedDigests().through(runtime).digest
  const record = new Uint8Array(104)
  const before = digest([record])
  // Another time in the header, and the checksum that goes with it.
  record.set([1], 64)
  record.set([2], 12)
  expect(digest([record])).not.toEqual(before)
  const buffer = new Uint8Array(208).fill(7)
  expect(digest([buffer.subarray(0, 104)])).toEqual(nodeRuntime().digest([buffer.subarray(0, 104)]))
  buffer.fill(8, 20)
  expect(digest([buffer.subarray(0, 104)])).toEqual(nodeRuntime().digest([buffer.subarray(0, 104)]))
  expect(digest([record, record])).toEqual(nodeRuntime().digest([record, record]))
  expect(digest([Uint8Array.of(1)])).toEqual(nodeRuntime().digest([Uint8Array.of(1)]))
  expect(count()).toBe(6)
})
