import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { openFolder, type Folder } from '../journal/file/index.ts'
import { ChainWriter, journalContract, type JournalBench } from '../journal/journal-contract.ts'
import type { Journal } from '../journal/index.ts'
import { MemoryJournal } from '../journal/memory/memory-engine.ts'
import type { ThreadPort } from '../runtime/index.ts'
import { NodeDisk, nodeRuntime } from '../runtime/node/index.ts'
import { JournalDoor } from './journal-door.ts'
import type { JournalSubjects } from './journal-subjects.ts'
import { Line } from './line.ts'
import { RemoteJournal } from './remote-journal.ts'

type Nothing = Record<never, never>

function portOf(port: MessagePort): ThreadPort {
  return {
    post: (message, moved) => port.postMessage(message, moved),
    onMessage: (receive) => void port.on('message', receive),
  }
}

/** A journal as another thread has it, through a line whose both ends are here. */
class Remote implements AsyncDisposable {
  readonly door: JournalDoor
  readonly journal: RemoteJournal
  readonly #channel = new MessageChannel()

  constructor(journal: Journal, bytesMax = Infinity) {
    this.door = new JournalDoor(() => journal)
    new Line<Nothing, JournalSubjects>(portOf(this.#channel.port1)).serve(this.door.served)
    const line = new Line<JournalSubjects, Nothing>(portOf(this.#channel.port2))
    line.serve({})
    this.journal = new RemoteJournal({ line, partition: 0, level: journal.level, fill: journal.fill(), bytesMax })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.port1.close()
    this.#channel.port2.close()
  }
}

journalContract('memory, from another thread', {
  secondConnection: 'separate',
  keepsRecords: false,
  trimsExactly: true,
  faults: [],
  create: () => {
    const remotes: Remote[] = []
    return Promise.resolve({
      connect: () => {
        const remote = new Remote(new MemoryJournal())
        remotes.push(remote)
        return Promise.resolve(remote.journal)
      },
      run: (promise) => promise,
      inject: () => {
        throw new Error('the memory engine has no faults')
      },
      release: () => Promise.resolve(),
      dispose: async () => {
        for (const remote of remotes) await remote[Symbol.asyncDispose]()
      },
    })
  },
})

journalContract('file, from another thread', {
  secondConnection: 'refused',
  keepsRecords: true,
  trimsExactly: true,
  faults: ['full'],
  create: (options) => fileBench(options.bytesMax ?? 1 << 20),
})

async function fileBench(bytesMax: number): Promise<JournalBench> {
  const path = await mkdtemp(join(tmpdir(), 'plenum-remote-'))
  let folder: Folder | undefined
  const remotes: Remote[] = []
  return {
    async connect(member) {
      if (member === 0) await folder?.close()
      const { clock, timers, random } = nodeRuntime()
      const bounds = { bytesMax, segmentBytesMin: bytesMax >>> 2 }
      const world = { disk: new NodeDisk(), clock, timers, random }
      folder = await openFolder({ ...world, ...bounds, path, partitions: 1, create: true, level: 'os' })
      const remote = new Remote(folder.partitions[0]!.journal, bytesMax)
      remotes.push(remote)
      return remote.journal
    },
    run: (promise) => promise,
    inject: () => {},
    release: () => Promise.resolve(),
    async dispose() {
      await folder?.close()
      for (const remote of remotes) await remote[Symbol.asyncDispose]()
      await rm(path, { recursive: true })
    },
  }
}

test('[TH3] once a thread is settled nothing of it comes to its journal any more, and a snapshot that it was saving is none', async () => {
  const memory = new MemoryJournal()
  await using remote = new Remote(memory)
  const { journal, door } = remote
  const writer = new ChainWriter(0)
  const acked = journal.append(1, writer.seal('OPEN'))
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(10)
  }
  const saving = journal.saveSnapshot(1, endless(), () => 'never')
  saving.catch(() => {})
  expect(await acked).toEqual({ kind: 'acked', position: 1 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await door.settled()
  await expect(saving).rejects.toThrow('has ended')
  expect(await memory.listSnapshots()).toEqual([])
  expect((await memory.open()).next).toBe(2)
})

test('[JR8] what was sent and not heard of counts as taken room', async () => {
  await using remote = new Remote(new MemoryJournal(), 100_000)
  const { journal } = remote
  const writer = new ChainWriter(0)
  const appended = journal.append(1, writer.seal('OPEN', { bodyBytes: 50_000 }))
  expect(journal.fill(10_000)).toBeGreaterThan(0.6)
  await appended
  expect(journal.fill()).toBe(0)
})
