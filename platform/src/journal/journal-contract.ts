// The one suite that every journal engine passes (JR9). It is run by vitest from a test file beside the engine:
//
//   journalContract('memory', { secondConnection: 'separate', faults: [], ... })
//
// What an engine cannot do by construction is asserted as absent, never skipped.
import { describe } from 'vitest'
import { appendContract } from './contract/append-contract.ts'
import { faultContract } from './contract/fault-contract.ts'
import type { JournalHarness } from './contract/harness.ts'
import { readContract } from './contract/read-contract.ts'
import { sharingContract } from './contract/sharing-contract.ts'
import { snapshotContract } from './contract/snapshot-contract.ts'

export type { JournalBench, JournalFault, JournalHarness } from './contract/harness.ts'
export { ChainWriter, contractDigest, contractJournal } from './contract/chain-writer.ts'

/** Declares the contract's tests for one engine. */
export function journalContract(name: string, harness: JournalHarness): void {
  describe(`journal contract: ${name}`, () => {
    appendContract(harness)
    sharingContract(harness)
    readContract(harness)
    snapshotContract(harness)
    faultContract(harness)
  })
}
