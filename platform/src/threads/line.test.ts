import { setImmediate } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { PlenumError } from '../kernel/index.ts'
import type { ThreadPort } from '../runtime/index.ts'
import { answerOf, sentAnswer } from './answer-of.ts'
import { Line } from './line.ts'
import { RoomAsked } from './room-asked.ts'
import { stampOf, stampValue } from '../space/index.ts'

type Asks = {
  readonly double: { readonly body: unknown; readonly answer: unknown }
  readonly give: { readonly body: undefined; readonly answer: unknown }
}
type Nothing = Record<never, never>

function bench() {
  const { port1, port2 } = new MessageChannel()
  const messages: number[] = []
  const port = (of: typeof port1): ThreadPort => ({
    post: (message, moved) => {
      of.postMessage(message, moved)
      messages.push((message as readonly unknown[]).length)
    },
    onMessage: (receive) => void of.on('message', receive),
  })
  const open: boolean[] = []
  const line = new Line<Asks, Nothing>(port(port1), (isOpen) => open.push(isOpen))
  line.serve({})
  const seen: unknown[] = []
  new Line<Nothing, Asks>(port(port2)).serve({
    double: (body) => {
      seen.push(body)
      if (typeof body === 'string') throw new PlenumError('VALUE_INVALID', body, { details: { body }, retry: 'same' })
      return typeof body === 'number' ? body * 2 : body
    },
    give: () => () => 1,
  })
  const close = (): void => {
    port1.close()
    port2.close()
  }
  return { line, messages, open, seen, [Symbol.dispose]: close }
}

test('[TH2] what one tick asks goes as one message, and so do the answers', async () => {
  using at = bench()
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => at.line.ask('double', n)))
  expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => n * 2))
  expect(at.messages).toEqual([50, 50])
  expect(at.open).toEqual([true, false])
})

test('[TH2] much that is said in one tick goes in parts, so that the other side can begin', async () => {
  using at = bench()
  const answers = Promise.all(Array.from({ length: 300 }, (_, n) => at.line.ask('double', n)))
  expect(at.messages).toEqual([128, 128])
  expect(await answers).toHaveLength(300)
  expect(at.messages.reduce((sum, count) => sum + count, 0)).toBe(600)
})

test('[TH2] what cannot leave its thread fails alone, and what was said with it arrives', async () => {
  using at = bench()
  const bytes = new Uint8Array([1, 2])
  const all = [
    at.line.ask('double', 1),
    at.line.ask('double', () => 1),
    at.line.ask('double', { bytes }, { moved: bytes.buffer }),
  ]
  const [one, two, three] = await Promise.allSettled([...all, at.line.ask('give', undefined)])
  expect(one).toEqual({ status: 'fulfilled', value: 2 })
  expect(two).toMatchObject({ status: 'rejected', reason: { code: 'VALUE_NOT_PLAIN' } })
  expect(three).toEqual({ status: 'fulfilled', value: { bytes: new Uint8Array([1, 2]) } })
  expect(at.seen).toHaveLength(2)
  await expect(at.line.ask('give', undefined)).rejects.toMatchObject({ code: 'VALUE_NOT_PLAIN' })
})

test('[TH1] an error arrives with its code, details and what to do', async () => {
  using at = bench()
  await expect(at.line.ask('double', 'text')).rejects.toSatisfy(
    (error) =>
      error instanceof PlenumError &&
      error.code === 'VALUE_INVALID' &&
      error.retry === 'same' &&
      error.details['body'] === 'text',
  )
})

test('[TH3] when the other side has ended, whoever waits hears why, and so does whoever asks later', async () => {
  using at = bench()
  const calls: number[] = []
  const open = [1, 2].map((n) => at.line.ask('double', n, { onCall: (call) => calls.push(call) }))
  const over = new PlenumError('UNKNOWN_OUTCOME', 'it ended')
  at.line.end(over, (call) => new PlenumError('HANDLER_STUCK', `call ${call}`))
  const settled = await Promise.allSettled(open)
  expect(settled.map((one) => one.status === 'rejected' && String(one.reason.message))).toEqual(
    calls.map((call) => `call ${call}`),
  )
  await expect(at.line.ask('double', 1)).rejects.toBe(over)
})

test('[TH1] an answer is frozen, and each entry in it has its stamp, wherever it stands', () => {
  const entry = (id: string, stamp: number): object => {
    const value = { id, tags: ['a'] }
    stampValue(value, stamp)
    return Object.freeze(value)
  }
  const a = entry('a', 7)
  const value = { list: [a, { deep: entry('b', 8) }, a], bytes: new Uint8Array(2), none: undefined, plain: {} }
  const found = answerOf(structuredClone(sentAnswer(value))) as typeof value
  expect(found).toEqual(value)
  expect(found.list.map((one) => stampOf(one))).toEqual([7, undefined, 7])
  expect(stampOf((found.list[1] as { readonly deep: object }).deep)).toBe(8)
  expect([found, found.list, found.plain, found.list[0]!].every((one) => Object.isFrozen(one))).toBe(true)
  expect(Object.isFrozen((found.list[0] as { readonly tags: object }).tags)).toBe(true)
})

test('[JR8] who asks all threads for room, and hears that there is nothing to do, is told so in the same turn', async () => {
  let asked = 0
  let made = true
  const room = new RoomAsked(
    async () => {
      asked += 1
      return made
    },
    (run) => void setImmediate().then(run),
  )
  await room.ask()
  made = false
  const [first, second] = [room.ask(), room.ask()]
  expect(first).toBe(second)
  await first
  expect([asked, room.ask(), room.ask()]).toEqual([2, undefined, undefined])
  await setImmediate()
  await setImmediate()
  expect(room.ask()).not.toBeUndefined()
})
