import { expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { checkedLimits, defaultLimits } from '../kernel/index.ts'
import { Machine } from '../space/index.ts'
import { Failures } from './failures.ts'

test('[UN3] [A8] where no more failures fit, those of entries that are gone make room, however many they are', () => {
  const limits = checkedLimits({ ...defaultLimits, failuresMax: 20, commandEffectsMax: 20, sessionRequestsMax: 1 })
  const machine = new Machine(limits)
  const table = machine.declare({ name: 'item', fields: ['id'], open: false, id: ['id'], route: ['id'] })
  const failures = new Failures(machine, limits)
  const command = <T>(run: () => T): T => {
    machine.begin(new ByteWriter(64), 1, 0)
    try {
      const value = run()
      machine.commit()
      return value
    } catch (error) {
      machine.rollback()
      throw error
    }
  }
  const failed = {
    kind: 'work-failed',
    claim: { epoch: 1, number: 1 },
    message: 'no',
    attemptsMax: 9,
    retryMs: 1,
  } as const
  const fail = (id: string): void => {
    const row = command(() => machine.put(table, undefined, { id }))
    command(() => failures.add('work', table, row, failed))
    command(() => machine.remove(table, row, 'removed'))
  }
  for (let at = 0; at < 100; at++) fail(`${at}`)
  expect(machine.table('plenum.failure').size).toBeLessThanOrEqual(20)
})
