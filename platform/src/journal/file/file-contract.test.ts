import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeDisk, nodeRuntime } from '../../runtime/node/index.ts'
import { journalContract, type JournalBench } from '../journal-contract.ts'
import { openFolder, type Folder } from './index.ts'

for (const level of ['os', 'disk'] as const) {
  journalContract(`file, ${level}`, {
    secondConnection: 'refused',
    keepsRecords: true,
    trimsExactly: true,
    faults: [],
    create: (options) => bench(level, options.bytesMax),
  })
  journalContract(`file, ${level}, bounded`, {
    secondConnection: 'refused',
    keepsRecords: true,
    trimsExactly: true,
    faults: ['full'],
    create: (options) => bench(level, options.bytesMax ?? 1 << 20),
  })
}

async function bench(level: 'os' | 'disk', bytesMax: number | undefined): Promise<JournalBench> {
  const path = await mkdtemp(join(tmpdir(), 'plenum-file-'))
  let folder: Folder | undefined
  return {
    async connect(member) {
      // Member 0 comes again after it closed its journal; any other one meets an open folder.
      if (member === 0) await folder?.close()
      const bounds = bytesMax === undefined ? {} : { bytesMax, segmentBytesMin: bytesMax >>> 2 }
      const { clock, timers, random } = nodeRuntime()
      const options = {
        disk: new NodeDisk(),
        path,
        partitions: 1,
        create: true,
        level,
        clock,
        timers,
        random,
        ...bounds,
      }
      const opened = await openFolder(options)
      folder = opened
      return opened.partitions[0]!.journal
    },
    run: (promise) => promise,
    inject: () => {},
    release: () => Promise.resolve(),
    async dispose() {
      await folder?.close()
      await rm(path, { recursive: true })
    },
  }
}
