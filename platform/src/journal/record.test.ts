import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRecord, recordHeaderBytes, recordKinds, sealRecord, type RecordFields } from './record.ts'

const uint = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const large = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const fields: fc.Arbitrary<RecordFields> = fc.record({
  kind: fc.constantFrom(...recordKinds),
  journal: bytes(16),
  epoch: large,
  index: large,
  position: large,
  acked: large,
  time: fc.double({ noNaN: true, noDefaultInfinity: true }),
  previousHash: bytes(16),
  member: uint,
  incarnation: uint,
  nonce: bytes(8),
})

function sealed(of: RecordFields, body: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(recordHeaderBytes + body.length)
  buffer.set(body, recordHeaderBytes)
  return sealRecord(of, buffer, body.length)
}

const plain = (of: RecordFields): object => ({
  ...of,
  journal: [...of.journal],
  previousHash: [...of.previousHash],
  nonce: [...of.nonce],
})

test('[JR1] a record says what was sealed, each field in its place, whatever follows it', () => {
  fc.assert(
    fc.property(fields, fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 20 }), (of, body, rest) => {
      const record = sealed(of, body)
      expect(record.length).toBe(104 + body.length)
      const parsed = parseRecord(Buffer.concat([record, rest]))
      if (parsed.kind !== 'record') return expect.unreachable(parsed.kind)
      const { body: found, bytes: whole, ...header } = parsed.record
      expect(plain(header)).toEqual(plain(of))
      expect([...found]).toEqual([...body])
      expect([...whole]).toEqual([...record])
    }),
  )
})

test('[JR1] with any bit flipped, or cut short anywhere, it is not taken for a record', () => {
  const [of] = fc.sample(fields, { numRuns: 1, seed: 7 })
  const record = sealed(of!, new Uint8Array(24).fill(9))
  for (let bit = 0; bit < record.length * 8; bit++) {
    const damaged = record.slice()
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    expect(parseRecord(damaged).kind).not.toBe('record')
  }
  for (let length = 0; length < record.length; length++) {
    expect(parseRecord(record.subarray(0, length)).kind).toBe('short')
  }
})

test('[JR1] bytes that are no record are none', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (any) => parseRecord(any).kind !== 'record'))
})

test('[JR1] the header stands as SPEC.md has it', () => {
  const [of] = fc.sample(fields, { numRuns: 1, seed: 8 })
  const exact = {
    ...of!,
    kind: 'CLOSE',
    epoch: 1,
    index: 2,
    position: 3,
    acked: 4,
    time: 5,
    member: 6,
    incarnation: 7,
  } as const
  const record = Buffer.from(sealed(exact, new Uint8Array(2)))
  expect(record.toString('latin1', 0, 4)).toBe('PLNR')
  expect([record[4], record[5], record.readUInt16LE(6), record.readUInt32LE(8)]).toEqual([1, 5, 0, 2])
  expect([32, 40, 48, 56].map((at) => record.readBigUInt64LE(at))).toEqual([1n, 2n, 3n, 4n])
  expect([record.readDoubleLE(64), record.readUInt32LE(88), record.readUInt32LE(92)]).toEqual([5, 6, 7])
  expect(record.subarray(16, 32)).toEqual(Buffer.from(exact.journal))
  expect(record.subarray(72, 88)).toEqual(Buffer.from(exact.previousHash))
  expect(record.subarray(96, 104)).toEqual(Buffer.from(exact.nonce))
})

test('[JR1] a sound record of a format of the future is FORMAT_UNKNOWN, not damage', async () => {
  const [of] = fc.sample(fields, { numRuns: 1, seed: 9 })
  const record = Buffer.from(sealed(of!, new Uint8Array(2)))
  record[4] = 2
  const { crc32 } = await import('node:zlib')
  record.writeUInt32LE(crc32(record.subarray(16), crc32(record.subarray(0, 12))), 12)
  expect(() => parseRecord(record)).toThrow(expect.objectContaining({ code: 'FORMAT_UNKNOWN' }))
})
