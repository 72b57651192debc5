import { expect, test } from 'vitest'
import { uniform } from '../harness/draws.ts'
import type { Row } from '../harness/suite.ts'
import { peerTargets, peersInFlight, peerWork, skewed, type PeerTable } from './peer-targets.ts'

const row = (table: PeerTable, subject: string, accounts: number, inFlight: number, value: number): Row => ({
  table,
  subject,
  work: peerWork(accounts, uniform),
  ack: 'disk',
  inFlight,
  value,
  measure: '1/s',
  samples: [value],
})

/** Plenum makes 100 everywhere. */
function rowsWith(rates: { readonly sqlite: number; readonly lmdb: number; readonly many: number }): readonly Row[] {
  return [
    ...peersInFlight.flatMap((inFlight) => [
      row('embedded', 'plenum', 100_000, inFlight, 100),
      row('embedded', 'plenum, each with a key', 100_000, inFlight, 1_000),
      row('embedded', 'node:sqlite', 100_000, inFlight, rates.sqlite),
      row('embedded', 'lmdb', 100_000, inFlight, rates.lmdb),
      row('behind a socket', 'plenum', 100_000, inFlight, 100),
      row('behind a socket', 'redis, 1 connection', 100_000, inFlight, 20),
      row('behind a socket', 'redis, 64 connections', 100_000, inFlight, rates.many),
      row('behind a socket', 'postgresql, 64 connections', 100_000, inFlight, 5),
      row('behind a socket', 'postgresql, arrays of 100', 100_000, inFlight, 4),
    ]),
    row('embedded', 'plenum', 5_000_000, 1_024, 100),
    row('embedded', 'node:sqlite', 5_000_000, 1_024, 12),
    row('embedded', 'lmdb', 5_000_000, 1_024, 99),
    { ...row('embedded', 'plenum', 100_000, 1_024, 110), work: peerWork(100_000, skewed) },
  ]
}

const missed = (rows: readonly Row[]): readonly string[] =>
  peerTargets(rows)
    .filter(({ met }) => !met)
    .map(({ text }) => text)

test('each target is judged against the best row of those that it names', () => {
  expect(missed(rowsWith({ sqlite: 80, lmdb: 70, many: 25 }))).toEqual([])
  // Alone as fast as the best is enough, together it is not.
  expect(missed(rowsWith({ sqlite: 70, lmdb: 90, many: 25 }))).toEqual([
    'against the best embedded peer, 100,000 accounts, 64 in flight',
    'against the best embedded peer, 100,000 accounts, 1,024 in flight',
    'against the best embedded peer, 100,000 accounts, 2,560 in flight',
  ])
  expect(missed(rowsWith({ sqlite: 80, lmdb: 70, many: 26 }))).toEqual([
    'against redis, 100,000 accounts, 64 in flight',
    'against redis, 100,000 accounts, 1,024 in flight',
    'against redis, 100,000 accounts, 2,560 in flight',
  ])
})

test('a target whose rows are not there is an error, not a target that is met', () => {
  const rows = rowsWith({ sqlite: 80, lmdb: 70, many: 25 })
  expect(() => peerTargets(rows.filter(({ subject }) => !subject.startsWith('postgresql')))).toThrow(
    'No row of postgresql',
  )
  expect(() => peerTargets(rows.filter(({ subject }) => subject !== 'plenum'))).toThrow('No row for Plenum')
})
