import { defaultLimits, PlenumError } from '../../kernel/index.ts'
import { inspectFolder } from '../../journal/file/index.ts'
import { Replica } from '../../partition/index.ts'
import { NodeDisk, nodeRuntime } from '../../runtime/node/index.ts'
import type { DumpLine } from '../checkers/journal-dump.ts'
import { dumpOf, JournalHistory } from '../witness/journal-history.ts'

/**
 * What the journals of an embedded application say, an effect a line; the application must not be running. Throws the
 * errors of `plenum inspect`, JOURNAL_CORRUPT among them, and CHECK_FAILED if a journal no longer begins at its first
 * record: a dump with a hole would prove nothing.
 */
export async function folderJournal(path: string): Promise<readonly DumpLine[]> {
  const runtime = nodeRuntime()
  const folder = await inspectFolder({ disk: new NodeDisk(), path, clock: runtime.clock })
  try {
    if (folder.damage !== undefined) throw folder.damage
    const lines: DumpLine[] = []
    for (const [partition, { id, journal }] of folder.partitions.entries()) {
      const { first } = await journal.open()
      if (first > 1) {
        throw new PlenumError(
          'CHECK_FAILED',
          `The journal of partition ${partition} was cut to record ${first} by a snapshot: what came before is not known.`,
          { details: { partition, first } },
        )
      }
      const history = new JournalHistory(partition)
      const digest = (parts: readonly Uint8Array[]): Uint8Array => runtime.digest(parts)
      const { observe } = history
      const replica = new Replica({ journal: id, digest, limits: defaultLimits, keepRecent: false, observe })
      for await (const found of journal.read(1)) replica.offer(found)
      lines.push(...dumpOf(history))
    }
    return lines
  } finally {
    await folder.close()
  }
}
