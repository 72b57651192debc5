import { distributionName, uniform, type Distribution } from '../harness/draws.ts'
import type { Row } from '../harness/suite.ts'
import { atLeast, type Target } from '../harness/targets.ts'

/** Stores in the process of their callers, and stores in servers: they are not compared with each other. */
export type PeerTable = 'embedded' | 'behind a socket'

export const plenumName = 'plenum'
export const sqliteName = 'node:sqlite'
export const peersInFlight: readonly number[] = [1, 64, 1_024, 2_560]
export const skewed: Distribution = { kind: 'zipf', exponent: 1.5 }

/** What a row of transfers says that it did. */
export function peerWork(accounts: number, distribution: Distribution): string {
  return `transfer, ${accounts.toLocaleString('en-US')} accounts, ${distributionName(distribution)}`
}

/** Accounts at which the peers are judged. */
const judgedAccounts = 100_000
const largeAccounts = 5_000_000
/** A single caller waits for the disk alone, whoever writes to it; more share a sync, and there the store counts. */
const aloneFloor = 1
const togetherFloor = 1.2
const largeFloor = 8
const serverFloors = { redis: 4, postgresql: 20 }

/** Plenum against the best of its peers in the same table. */
export function peerTargets(rows: readonly Row[]): readonly Target[] {
  const together = peersInFlight.filter((inFlight) => inFlight > 1)
  return [
    ...peersInFlight.map((inFlight) => {
      const floor = inFlight === 1 ? aloneFloor : togetherFloor
      return against(rows, { table: 'embedded', accounts: judgedAccounts, inFlight }, floor)
    }),
    against(rows, { table: 'embedded', accounts: largeAccounts, inFlight: 1_024 }, largeFloor, sqliteName),
    ...Object.entries(serverFloors).flatMap(([server, floor]) =>
      together.map((inFlight) =>
        against(rows, { table: 'behind a socket', accounts: judgedAccounts, inFlight }, floor, server),
      ),
    ),
    atLeast(
      'Zipf 1.5 against uniform, 100,000 accounts, 1,024 in flight',
      rateOf(rows, { table: 'embedded', accounts: judgedAccounts, inFlight: 1_024 }, skewed) /
        rateOf(rows, { table: 'embedded', accounts: judgedAccounts, inFlight: 1_024 }, uniform),
      1,
      'ratio',
    ),
  ]
}

interface Place {
  readonly table: PeerTable
  readonly accounts: number
  readonly inFlight: number
}

/** Against the best row of the peer whose name begins so, or of all peers in the table. */
function against(rows: readonly Row[], place: Place, floor: number, peer?: string): Target {
  const others = rowsAt(rows, place, uniform).filter(({ subject }) => !subject.startsWith(plenumName))
  const meant = others.filter(({ subject }) => peer === undefined || subject.startsWith(peer))
  if (meant.length === 0) throw new Error(`No row of ${peer ?? 'a peer'}, ${peerWork(place.accounts, uniform)}.`)
  const best = Math.max(...meant.map(({ value }) => value))
  const text = `against ${peer ?? 'the best embedded peer'}, ${place.accounts.toLocaleString('en-US')} accounts, ${place.inFlight.toLocaleString('en-US')} in flight`
  return atLeast(text, rateOf(rows, place, uniform) / best, floor, 'ratio')
}

function rateOf(rows: readonly Row[], place: Place, distribution: Distribution): number {
  const row = rowsAt(rows, place, distribution).find(({ subject }) => subject === plenumName)
  if (row === undefined) throw new Error(`No row for Plenum, ${peerWork(place.accounts, distribution)}.`)
  return row.value
}

function rowsAt(
  rows: readonly Row[],
  { table, accounts, inFlight }: Place,
  distribution: Distribution,
): readonly Row[] {
  const work = peerWork(accounts, distribution)
  return rows.filter((row) => row.table === table && row.work === work && row.inFlight === inFlight)
}
