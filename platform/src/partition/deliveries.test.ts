import { expect, test } from 'vitest'
import { defaultLimits, PlenumError, type Limits } from '../kernel/index.ts'
import { Row, type Command, type MessageCommand } from '../space/index.ts'
import { ManualRuntime, turns } from './contract/manual-runtime.ts'
import { Deliveries } from './deliveries.ts'
import type { PartitionEvent } from './events.ts'
import type { MessageRow } from './messages.ts'

type Deliver = Extract<MessageCommand, { kind: 'deliver' }>

/** What is on its way to another partition: what was asked, and the answer. */
interface Asked {
  readonly to: number
  readonly command: Deliver
  readonly answer: (value: unknown) => void
  readonly fail: (error: unknown) => void
}

function open(limits: Partial<Limits> = {}) {
  const runtime = new ManualRuntime()
  const asked: Asked[] = []
  const submitted: Command[] = []
  const events: PartitionEvent[] = []
  const state = { acked: 0, refuses: 0 }
  const deliveries = new Deliveries({
    number: 3,
    limits: { ...defaultLimits, ...limits },
    timers: runtime.timers,
    random: runtime.random,
    now: () => runtime.clock.monotonic(),
    acked: () => state.acked,
    ask: (to, command) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      asked.push({ to, command: command as Deliver, answer: resolve, fail: reject })
      return promise
    },
    submit: ({ command }) => {
      if (state.refuses-- > 0) return Promise.reject(new PlenumError('OVERLOADED', 'not now'))
      submitted.push(command)
      return Promise.resolve(undefined)
    },
    onEvent: (event) => void events.push(event),
  })
  const posted = (
    number: number,
    route: string,
    more: Partial<MessageRow> & { readonly index?: number } = {},
  ): void => {
    const caller = { kind: 'unit', subject: 'u', claims: {} } as const
    const call = { handler: 'h', input: { number }, route, caller }
    const { index = 0, ...fields } = more
    const value = { id: `m${number}`, state: 'ready', to: 1, number, call, dueAt: 0, errors: [], ...fields }
    deliveries.posted(new Row(value, 1, 1, index, 1, 0))
  }
  const numbers = (): readonly number[] => asked.map(({ command }) => command.number)
  const settle = async (at: number, value: unknown = 'done'): Promise<void> => {
    asked[at]!.answer(value)
    await turns()
  }
  const fail = async (
    at: number,
    code: 'HANDLER_FAILED' | 'REFUSED' | 'UNKNOWN_OUTCOME' | 'NOT_PRIMARY',
  ): Promise<void> => {
    asked[at]!.fail(new PlenumError(code, 'no'))
    await turns()
  }
  return { runtime, deliveries, asked, submitted, events, state, posted, numbers, settle, fail }
}

test('[UN12] a message leaves when the record that sent it is acked, in the order of the records', async () => {
  const { deliveries, state, posted, numbers } = open()
  posted(1, 'a', { index: 5 })
  posted(2, 'b', { index: 6 })
  await turns()
  expect(numbers()).toEqual([])
  state.acked = 5
  deliveries.onAcked(5)
  expect(numbers()).toEqual([1])
  deliveries.onAcked(9)
  expect(numbers()).toEqual([1, 2])
})

test('[UN12] of the messages to one route one is on its way at a time; other routes go beside it, up to a limit', async () => {
  const { asked, submitted, posted, numbers, settle } = open({ messagesInFlightMax: 2 })
  posted(1, 'a')
  posted(2, 'a')
  posted(3, 'b')
  posted(4, 'c')
  posted(5, 'a', { to: 2 })
  await turns()
  expect(numbers()).toEqual([1, 3])
  await settle(1)
  expect(numbers()).toEqual([1, 3, 4])
  await settle(0)
  expect(numbers()).toEqual([1, 3, 4, 2])
  await settle(2)
  expect(asked.at(-1)).toMatchObject({ to: 2, command: { number: 5 } })
  await settle(3)
  await settle(4)
  expect(submitted).toEqual(['m3', 'm1', 'm4', 'm2', 'm5'].map((id) => ({ kind: 'delivered', ids: [id] })))
})

test('[UN12] each delivery says which is the lowest that is not over: until its end is acked, a message is not', async () => {
  const { asked, state, runtime, posted, settle } = open()
  for (const [at, route] of ['a', 'b', 'b', 'b'].entries()) posted(at + 1, route)
  await settle(1)
  expect(asked.at(-1)?.command).toMatchObject({ number: 3, lowest: 1 })
  state.refuses = 1
  await settle(0)
  await settle(2)
  expect(asked.at(-1)?.command).toMatchObject({ number: 4, lowest: 1 })
  await runtime.advance(1_000)
  posted(5, 'c')
  expect(asked.at(-1)?.command).toMatchObject({ number: 5, lowest: 4 })
})

test('[UN12] where nobody knows, or another is primary, it is asked again, and no attempt has failed', async () => {
  const { runtime, asked, submitted, events, posted, numbers, settle, fail } = open({ messageAttemptsMax: 1 })
  posted(1, 'a')
  for (const [at, code] of (['UNKNOWN_OUTCOME', 'NOT_PRIMARY', 'UNKNOWN_OUTCOME'] as const).entries()) {
    await fail(at, code)
    await runtime.advance(10_000)
  }
  expect(numbers()).toEqual([1, 1, 1, 1])
  expect(asked.every(({ command }) => command.call !== undefined)).toBe(true)
  await settle(3)
  expect(submitted).toEqual([{ kind: 'delivered', ids: ['m1'] }])
  expect(events).toEqual([])
})

test('[UN12] what keeps failing is voided at its receiver, and then a dead letter with its errors', async () => {
  const { runtime, asked, submitted, events, posted, settle, fail } = open({ messageAttemptsMax: 2 })
  posted(1, 'a')
  posted(2, 'a')
  await fail(0, 'HANDLER_FAILED')
  expect(asked).toHaveLength(1)
  await runtime.advance(1_000)
  await fail(1, 'HANDLER_FAILED')
  expect(asked[2]?.command).toMatchObject({ number: 1, call: undefined })
  await fail(2, 'UNKNOWN_OUTCOME')
  await runtime.advance(10_000)
  expect(asked[3]?.command).toMatchObject({ number: 1, call: undefined })
  await settle(3, 'void')
  const message = 'HANDLER_FAILED: no'
  expect(submitted).toMatchObject([{ kind: 'bury', id: 'm1', errors: [{ message }, { message }] }])
  expect(events).toEqual([{ kind: 'dead-message', handler: 'h', message }])
  expect(asked[4]?.command).toMatchObject({ number: 2, lowest: 2 })
})

test('[UN12] a copy that was late and done after all is no dead letter; one voided by an earlier reign is', async () => {
  const { submitted, posted, settle, fail } = open()
  posted(1, 'a')
  await fail(0, 'REFUSED')
  await settle(1, 'done')
  expect(submitted).toEqual([{ kind: 'delivered', ids: ['m1'] }])
  posted(2, 'a')
  await settle(2, 'void')
  expect(submitted[1]).toMatchObject({ kind: 'bury', id: 'm2', errors: [{ message: expect.any(String) }] })
})

test('[UN12] what is sent later is ready when its time comes; nothing is asked after the end of the reign', async () => {
  const { runtime, deliveries, submitted, posted, numbers } = open()
  const now = runtime.clock.monotonic()
  posted(0, 'a', { id: 'late', state: 'later', dueAt: now + 900 })
  posted(0, 'a', { id: 'soon', state: 'later', dueAt: now + 300 })
  await runtime.advance(299)
  expect(submitted).toEqual([])
  await runtime.advance(2)
  expect(submitted).toEqual([{ kind: 'messages-due', ids: ['soon'] }])
  deliveries.stop()
  await runtime.advance(5_000)
  expect(submitted).toHaveLength(1)
  expect(numbers()).toEqual([])
})

test('[UN12] a pause between two attempts ends with the reign, and nothing is asked after it', async () => {
  const { runtime, deliveries, asked, posted, fail } = open()
  posted(1, 'a')
  posted(2, 'b')
  await fail(0, 'HANDLER_FAILED')
  await fail(1, 'NOT_PRIMARY')
  expect(runtime.pending).toBe(2)
  deliveries.stop()
  expect(runtime.pending).toBe(0)
  await turns()
  expect(runtime.pending).toBe(0)
  expect(asked).toHaveLength(2)
})

test('[UN12] what is due is told in its order, though it has to be told again and something else comes meanwhile', async () => {
  const { runtime, state, submitted, posted } = open({ messagesInFlightMax: 1 })
  const dueAt = runtime.clock.monotonic() + 10
  for (const number of [1, 2]) posted(number, 'a', { state: 'later', dueAt })
  state.refuses = 1
  await runtime.advance(11)
  posted(3, 'a', { state: 'later', dueAt: dueAt + 1 })
  await runtime.advance(1_000)
  expect(submitted).toEqual(['m1', 'm2', 'm3'].map((id) => ({ kind: 'messages-due', ids: [id] })))
})
