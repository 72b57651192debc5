import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, unit, worker, type Worker } from './index.ts'

const Reminder = entry('reminder', z.object({ id: z.string(), at: z.number().nullable(), left: z.int() }), { id: 'id' })

/** A unit that notes when its reminders came; each comes as often as is left of it, at once if it was late. */
function remindersOf(came: string[]) {
  const remind: Worker = worker(
    { entry: Reminder, where: { left: { gt: 0 } }, due: 'at' },
    async (reminder, { tx }) => {
      came.push(reminder.id)
      if (reminder.id === 'stuck') return tx.patch(Reminder, reminder, { left: 1 }).then(() => undefined)
      await tx.patch(Reminder, reminder, { left: reminder.left - 1, at: (reminder.at ?? 0) + 1 })
    },
  )
  return unit('reminders', { entries: [Reminder] }, { workers: { remind } })
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2))
}

test('[UN3] what is due later is given then, also after a restart, and sooner if somebody says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'due-'))
  const came: string[] = []
  const now = Date.now()
  const open = () => embedded({ unit: remindersOf(came), folder, ack: 'os' })
  const first = await open()
  await first.space.insert(Reminder, { id: 'later', at: now + 400, left: 1 })
  await first.space.insert(Reminder, { id: 'never', at: now + 86_400_000, left: 1 })
  await first.space.insert(Reminder, { id: 'now', at: null, left: 1 })
  await until(() => came.length === 1)
  await first[Symbol.asyncDispose]()

  const second = await open()
  await second.space.patch(Reminder, { id: 'never' }, { at: 0 })
  await until(() => came.length === 3)
  expect([came[0], came.slice(1).toSorted()]).toEqual(['now', ['later', 'never']])
  const later = await second.space.get(Reminder, { id: 'later' })
  expect(Date.now()).toBeGreaterThanOrEqual(later?.at ?? Infinity)
  await second[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

test('[UN3] an entry that is put off further is released, though it matches; one that is not is not', async () => {
  const came: string[] = []
  const faults: unknown[] = []
  await using client = await embedded({
    unit: remindersOf(came),
    journal: 'memory',
    onEvent: ({ event }) => void (event.kind === 'fault' && faults.push(event.error)),
  })
  await client.space.insert(Reminder, { id: 'thrice', at: 5, left: 3 })
  await until(async () => (await client.space.get(Reminder, { id: 'thrice' }))?.left === 0)
  expect([came, faults]).toEqual([['thrice', 'thrice', 'thrice'], []])
  await client.space.insert(Reminder, { id: 'stuck', at: 5, left: 2 })
  await until(() => faults.length > 0)
  expect(faults[0]).toMatchObject({ code: 'CLAIM_NOT_RELEASED' })
})

test('[UN3] a field that says when and is none is refused', async () => {
  const odd = worker({ entry: Reminder, where: {}, due: 'when' as 'at' }, async () => {})
  const declared = embedded({ unit: unit('odd', { entries: [Reminder] }, { workers: { odd } }), journal: 'memory' })
  await expect(declared).rejects.toMatchObject({
    code: 'ENTRY_FIELD_UNKNOWN',
    details: { option: 'due', field: 'when' },
  })
})
