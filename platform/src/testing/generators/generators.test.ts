import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../../kernel/index.ts'
import { SeededRandom } from '../../runtime/simulated/index.ts'
import { BankSteps, drawBankProfile } from './bank-workload.ts'
import { hotNumber, pickWeighted } from './choices.ts'
import { drawLimits } from './draw-limits.ts'
import { drawItemProfile, groupOf, ItemCommands } from './item-commands.ts'
import { RegisterSteps } from './register-workload.ts'
import { SetSteps } from './set-workload.ts'

/** What `draw` gives for each of some seeds. */
function drawn<T>(draw: (random: SeededRandom) => T): readonly T[] {
  return Array.from({ length: 200 }, (_, seed) => draw(new SeededRandom(`generators ${seed}`)))
}

describe('generators', () => {
  test('the same seed gives the same, another seed something else', () => {
    const draw = (random: SeededRandom): string => {
      const items = new ItemCommands(random, drawItemProfile(random, 'item'))
      const bank = new BankSteps(random, drawBankProfile(random))
      const registers = new RegisterSteps(random, 3)
      const sets = new SetSteps(random)
      const steps = Array.from({ length: 20 }, () => [items.next(), bank.next(), registers.next(), sets.next()])
      return JSON.stringify([drawLimits(random), bank.opening(), steps])
    }
    expect(drawn(draw)).toEqual(drawn(draw))
    expect(new Set(drawn(draw)).size).toBe(200)
  })

  test('[A8] drawn limits are small, hold their relations, and leave a scenario what it needs', () => {
    const all = drawn((random) => drawLimits(random, { sessionsMax: 40, inboxRequestsMax: 8 }))
    for (const limits of all) {
      expect(limits.sessionsMax).toBeGreaterThanOrEqual(40)
      expect(limits.inboxRequestsMax).toBeGreaterThanOrEqual(8)
      expect(limits.recentRecordsMax).toBeGreaterThanOrEqual(limits.windowRecordsMax)
      expect(Object.keys(limits)).toEqual(Object.keys(defaultLimits))
    }
    expect(new Set(all.map(({ windowRecordsMax }) => windowRecordsMax)).size).toBe(4)
    expect(all.some(({ valueBytesMax }) => valueBytesMax < defaultLimits.valueBytesMax / 1_000)).toBe(true)
  })

  test('every kind of item command is drawn, batches of one group, and learnt stamps become conditions', () => {
    const kinds = new Set<string>()
    let conditions = 0
    for (const commands of drawn((random) => new ItemCommands(random, drawItemProfile(random, 'item')))) {
      for (let n = 0; n < 50; n++) {
        const command = commands.next()
        kinds.add(command.kind)
        commands.learn(command, { stamp: n })
        if ('options' in command && 'ifStamp' in command.options && command.options.ifStamp !== undefined)
          conditions += 1
        if (command.kind !== 'batch') continue
        expect(new Set(command.commands.map(groupOf)).size).toBe(1)
      }
    }
    const all =
      'get read readAll count aggregate explain insert write update patch change remove take takeAll clear renew batch'
    expect([...kinds].toSorted()).toEqual(all.split(' ').toSorted())
    expect(conditions).toBeGreaterThan(100)
  })

  test('transfers stay inside a branch that was opened, between two accounts', () => {
    for (const bank of drawn((random) => new BankSteps(random, drawBankProfile(random)))) {
      const opened = new Map(
        bank.opening().flatMap((step) => (step.f === 'init' ? [[step.branch, step.balances]] : [])),
      )
      for (let n = 0; n < 30; n++) {
        const step = bank.next()
        if (step.f !== 'transfer') continue
        expect(opened.get(step.branch)).toHaveProperty(step.from)
        expect(opened.get(step.branch)).toHaveProperty(step.to)
        expect(step.from).not.toBe(step.to)
      }
    }
  })

  test('heat favours the first, and a weight of 0 is never picked', () => {
    const random = new SeededRandom('heat')
    const hot = Array.from({ length: 1_000 }, () => hotNumber(random, 10, 4)).filter((number) => number === 0)
    expect(hot.length).toBeGreaterThan(400)
    const picked = Array.from({ length: 1_000 }, () => pickWeighted(random, { never: 0, seldom: 1, often: 9 }))
    expect(new Set(picked)).toEqual(new Set(['seldom', 'often']))
    expect(picked.filter((name) => name === 'often').length).toBeGreaterThan(700)
  })
})
