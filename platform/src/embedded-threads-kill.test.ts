// Threads are ended from outside, in the middle of whatever they do, while callers go on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openJournals } from './embedded-journals.ts'
import { newIds } from './embedded-partitions.ts'
import { limitsOnThreads, newThreads, startHere } from './embedded-threads.ts'
import { embedded, isPlenumError, type Client, type EmbeddedEvent } from './index.ts'
import { defaultLimits } from './kernel/index.ts'
import { Router } from './router/index.ts'
import type { Thread } from './runtime/index.ts'
import { nodeRuntime } from './runtime/node/index.ts'
import { checkBank, HistoryRecorder, SeededRandom } from './testing/index.ts'
import { resolveUnit, UnitClient, unitDefinition } from './unit/index.ts'
import threaded, { Account, uses } from './threads/contract/thread-unit.ts'

type Bank = Client<typeof threaded>
const module = new URL('threads/contract/thread-unit.ts', import.meta.url)

/** The composition of threads, with the threads in the hands of whoever wants to end them. */
async function bench(journal: 'memory' | { readonly folder: string }) {
  const runtime = nodeRuntime()
  const limits = limitsOnThreads(defaultLimits)
  const unit = resolveUnit(unitDefinition(threaded), { runtime, limits, checkAll: true })
  const events: EmbeddedEvent['event'][] = []
  const options = {
    unit: threaded,
    journal,
    threads: 2,
    workers: false,
    onEvent: ({ event }: EmbeddedEvent) => events.push(event),
  } as const
  const journals = await openJournals(options, unit.name, runtime)
  const running = new Map<number, Thread>()
  const threads = newThreads(options, { threads: 2, runtime, limits, development: true, journals }, (data) => {
    const thread = startHere(data)
    running.set(data.thread, thread)
    return thread
  })
  await threads.start(module.href, unit.hash)
  const router = new Router(threads.channels, runtime, limits)
  const close = async (): Promise<void> => {
    await threads.close()
    await journals.close()
  }
  const caller = { kind: 'unit', subject: unit.name, claims: {} } as const
  const given: unknown = new UnitClient({ unit, router, limits, uses, newId: newIds(runtime), caller, close })
  return {
    client: given as Bank,
    running,
    events,
    served: () => events.filter(({ kind }) => kind === 'thread-started').length,
  }
}

const ids = Array.from({ length: 8 }, (_, n) => `account-${n}`)
const opening = 100

async function balances(client: Bank): Promise<Readonly<Record<string, number>>> {
  const all = await client.space.transaction((tx) => tx.readAll(Account, { id: { in: ids } }))
  return Object.fromEntries(all.map(({ id, balance }) => [id, balance]))
}

/** Moves money between accounts of several partitions and looks at all of them, recorded, until told to stop. */
function load(client: Bank, recorder: HistoryRecorder, random: SeededRandom, isOver: () => boolean): Promise<unknown> {
  const line = async (): Promise<void> => {
    const recorded = recorder.client()
    while (!isOver()) {
      try {
        if (random.integer(4) === 0) await recorded.run({ f: 'balances' }, () => balances(client))
        else await transfer(client, recorded, random)
      } catch (error) {
        // Two that want the same accounts too often; anything else should not be.
        if (!isPlenumError(error, 'TRANSACTION_CONFLICT')) throw error
      }
    }
  }
  return Promise.all(Array.from({ length: 3 }, line))
}

function transfer(
  client: Bank,
  recorded: ReturnType<HistoryRecorder['client']>,
  random: SeededRandom,
): Promise<unknown> {
  const at = random.integer(ids.length)
  const [from, to] = [ids[at]!, ids[(at + 1 + random.integer(ids.length - 1)) % ids.length]!]
  const value = { from, to, amount: 1 + random.integer(9) }
  const move = async (): Promise<void> => {
    await client.space.transaction(async (tx) => {
      await tx.change(Account, { id: from }, { add: { balance: -value.amount } })
      await tx.change(Account, { id: to }, { add: { balance: value.amount } })
    })
  }
  return recorded.run({ f: 'transfer', value }, move, () => ({ value }))
}

test.each(['memory', 'folder'] as const)(
  '[TH3, SP12, TX4] threads that are ended under load, journal in %s: transactions hold, and each call happens once',
  { timeout: 180_000 },
  async (where) => {
    const folder = mkdtempSync(join(tmpdir(), 'plenum-threads-'))
    try {
      const random = new SeededRandom('threads that are ended')
      const { client, running, events, served } = await bench(where === 'memory' ? 'memory' : { folder })
      const recorder = new HistoryRecorder(nodeRuntime().clock)
      let acked = 0
      {
        await using _ = client
        const opened = Object.fromEntries(ids.map((id) => [id, opening]))
        const open = (): Promise<unknown> =>
          client.space.writeAll(
            Account,
            ids.map((id) => ({ id, balance: opening })),
          )
        await recorder.client().run({ f: 'init', value: opened }, open, () => ({ value: opened }))
        let isOver = false
        const transfers = load(client, recorder, random, () => isOver)
        const counting = (async () => {
          for (; !isOver; acked++) await client.handlers.deposit({ id: `counter-${acked % 6}`, amount: 1 })
        })()
        // One after the other, and at last both at once.
        for (const ended of [[0], [1], [0], [0, 1]]) {
          await sleep(random.integer(60))
          const before = served()
          await Promise.all(ended.map((thread) => running.get(thread)!.end()))
          await expect.poll(served, { timeout: 30_000 }).toBe(before + ended.length)
        }
        isOver = true
        await Promise.all([transfers, counting])
        await recorder.client().run({ f: 'balances' }, () => balances(client))
        const counters = await client.space.readAll(Account, { id: { notIn: ids } })
        expect(counters.reduce((sum, { balance }) => sum + balance, 0)).toBe(acked)
        expect(acked).toBeGreaterThan(0)
      }
      const checked = checkBank(recorder.events)
      expect(checked).toMatchObject({ ok: true })
      expect(checked.ok && Math.min(checked.acked, checked.readings)).toBeGreaterThan(0)
      expect(events.filter(({ kind }) => kind === 'thread-ended').length).toBeGreaterThanOrEqual(5)
      if (where === 'memory') return
      // The folder is as any other: any number of threads opens it.
      await using again = await embedded({ unit: threaded, uses, folder })
      const found = await again.space.readAll(Account, {})
      expect(found.reduce((sum, { balance }) => sum + balance, 0)).toBe(ids.length * opening + acked)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
