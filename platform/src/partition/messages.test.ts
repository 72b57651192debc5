import { expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits, PlenumError } from '../kernel/index.ts'
import { Machine, type Delivered, type MessageCall, type Row } from '../space/index.ts'
import { Afterwards } from './afterwards.ts'
import { ManualRuntime } from './contract/manual-runtime.ts'
import { messageOf, Messages } from './messages.ts'

const call: MessageCall = { handler: 'h', input: {}, route: 'r', caller: { kind: 'unit', subject: 'u', claims: {} } }

/** The messages of a partition, each step of it a command of its own. */
function open() {
  const machine = new Machine(defaultLimits)
  const afterwards = new Afterwards()
  const posted: Row[] = []
  const { random } = new ManualRuntime()
  const onPosted = (row: Row): void => void posted.push(row)
  const messages = new Messages({ machine, limits: defaultLimits, afterwards, random, onPosted })
  let now = 0
  let index = 0
  const command = <T>(run: () => T): T => {
    machine.begin(new ByteWriter(64), (index += 1), (now += 1))
    try {
      const value = run()
      machine.commit()
      afterwards.committed()
      return value
    } catch (error) {
      machine.rollback()
      afterwards.rolledBack()
      throw error
    }
  }
  const ran: number[] = []
  const deliver = (number: number, lowest: number, isVoid = false, fails = false): Delivered =>
    command(() =>
      messages.deliver({ kind: 'deliver', from: 3, number, lowest, call: isVoid ? undefined : call }, () => {
        if (fails) throw new PlenumError('HANDLER_FAILED', 'no')
        ran.push(number)
      }),
    )
  const arrived = () => machine.table('plenum.arrived').find({ from: 3 })?.value
  const numbers = (): readonly number[] => posted.map((row) => messageOf(row).number)
  return { machine, messages, command, deliver, ran, arrived, posted, numbers }
}

test('[UN12] what has arrived does nothing again, in whatever order it comes', () => {
  const { deliver, ran, arrived } = open()
  for (const number of [2, 1, 2, 4, 1, 4]) expect(deliver(number, 1)).toBe('done')
  expect(ran).toEqual([2, 1, 4])
  expect(arrived()).toEqual({ from: 3, lowest: 1, done: [1, 2, 4, 4], voided: [] })
  expect(deliver(5, 4)).toBe('done')
  expect(arrived()).toEqual({ from: 3, lowest: 4, done: [4, 5], voided: [] })
  // Late copies of what is over.
  for (const number of [1, 2, 3]) expect(deliver(number, 1)).toBe('done')
  expect(ran).toEqual([2, 1, 4, 5])
})

test('[UN12] a delivery that fails has not arrived, and may come again', () => {
  const { deliver, ran, arrived } = open()
  expect(() => deliver(1, 1, false, true)).toThrow('no')
  expect(arrived()).toBeUndefined()
  expect(deliver(1, 1)).toBe('done')
  expect(ran).toEqual([1])
})

test('[UN12] a number that is voided is never done, and one that is done is not voided', () => {
  const { deliver, ran, arrived } = open()
  expect(deliver(1, 1)).toBe('done')
  expect(deliver(1, 1, true)).toBe('done')
  expect(deliver(2, 1, true)).toBe('void')
  expect(deliver(2, 1, true)).toBe('void')
  expect(deliver(2, 1)).toBe('void')
  expect(ran).toEqual([1])
  expect(deliver(3, 3)).toBe('done')
  expect(arrived()).toEqual({ from: 3, lowest: 3, done: [3, 3], voided: [] })
})

test('[UN12] messages are numbered for each partition, when they may be delivered; those sent again anew', () => {
  const { machine, messages, command, posted, numbers } = open()
  const post = (to: number, afterMs = 0): void => command(() => messages.post([{ to, call, afterMs }], false))
  post(1)
  post(2)
  post(1, 5)
  post(1)
  expect(numbers()).toEqual([1, 1, 0, 2])
  const ids = posted.map((row) => messageOf(row).id)
  // Its time has not come.
  command(() => messages.due([ids[2]!]))
  expect(posted).toHaveLength(4)
  for (let at = 0; at < 4; at++) post(2)
  command(() => messages.due([ids[2]!, 'another']))
  expect(messageOf(posted.at(-1)!)).toMatchObject({ id: ids[2], to: 1, number: 3, state: 'ready' })
  command(() => messages.bury({ kind: 'bury', id: ids[0]!, number: 1, errors: [{ at: 1, message: 'no' }] }))
  expect(messages.tell(9)).toMatchObject({
    pending: 7,
    dead: [{ id: ids[0], handler: 'h', errors: [{ message: 'no' }] }],
  })
  command(() => messages.sendAgain(undefined))
  expect(messageOf(posted.at(-1)!)).toMatchObject({ id: ids[0], to: 1, number: 4, state: 'ready', errors: [] })
  command(() => messages.delivered(ids))
  expect(messages.tell(9)).toEqual({ pending: 4, dead: [] })
  expect(machine.table('plenum.number').size).toBe(2)
})

test('[UN12] what a command that is rolled back has sent is told to nobody', () => {
  const { messages, command, posted } = open()
  expect(() =>
    command(() => {
      messages.post([{ to: 1, call, afterMs: 0 }], false)
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(posted).toEqual([])
  expect(messages.tell(9)).toEqual({ pending: 0, dead: [] })
})

test('[UN12] [A8] a message as large as it may be is a dead letter all the same, without what was said of it', () => {
  const { messages, command, posted } = open()
  const withInput = (bytes: number): MessageCall => ({ ...call, input: { text: 'x'.repeat(bytes) } })
  const send = (bytes: number): void =>
    command(() => messages.post([{ to: 1, call: withInput(bytes), afterMs: 0 }], false))
  expect(() => send(defaultLimits.valueBytesMax)).toThrow(/VALUE_TOO_LARGE|takes \d+ bytes/)
  const errors = [{ at: 1, message: 'no'.repeat(500) }]
  for (const bytes of [100, defaultLimits.valueBytesMax - 300]) {
    send(bytes)
    const { id, number } = messageOf(posted.at(-1)!)
    command(() => messages.bury({ kind: 'bury', id, number, errors }))
  }
  expect(new Set(messages.tell(10).dead.map((dead) => dead.errors.length))).toEqual(new Set([0, 1]))
})
