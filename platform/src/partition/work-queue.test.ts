import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits } from '../kernel/index.ts'
import { Machine, type Layout, type Row } from '../space/index.ts'
import { Groups, type Work } from './work-order.ts'
import { WorkQueue } from './work-queue.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f']
const lanes = ['x', 'y']

const step = fc.oneof(
  fc.record({
    f: fc.constant('write' as const),
    id: fc.constantFrom(...ids),
    n: fc.integer({ min: 0, max: 2 }),
    lane: fc.constantFrom(...lanes),
  }),
  fc.record({ f: fc.constant('remove' as const), id: fc.constantFrom(...ids) }),
  fc.record({ f: fc.constant('claim' as const), of: fc.integer({ min: 0, max: 1 }) }),
  fc.record({ f: fc.constant('end' as const), at: fc.nat({ max: 5 }), delay: fc.constantFrom(0, 0, 3) }),
  fc.record({ f: fc.constant('wait' as const), for: fc.integer({ min: 1, max: 4 }) }),
)

const name = (row: Row | undefined): string => JSON.stringify(row?.value) ?? 'nothing'

/** Two workers of one type: what they are given, and what a naive twin would give them. */
class Play {
  readonly #machine = new Machine(defaultLimits)
  readonly #queues: readonly WorkQueue[]
  readonly #matches = [(n: number) => n > 0, (n: number) => n > 1]
  readonly #isFifo: boolean
  readonly #groups = new Groups()
  #now = 0
  #change = 0
  /** What is claimed: by which worker, and the work that stands for it. */
  #claimed: { readonly queue: number; readonly work: Work }[] = []
  /** Rows that a worker does not get before a time, as they are with a stamp. */
  #putOff: { readonly queue: number; readonly row: Row; readonly stamp: number; readonly until: number }[] = []

  constructor(isFifo: boolean) {
    this.#isFifo = isFifo
    const layout: Layout = { name: 'item', fields: ['id', 'lane', 'n', 'at'], open: false, id: ['id'], route: ['at'] }
    const table = this.#machine.declare(isFifo ? { ...layout, fifo: 'lane' } : layout)
    const rules = [0, 1].map((above) => ({ name: `above ${above}`, type: 'item', where: { n: { gt: above } } }))
    this.#queues = rules.map((rule) => new WorkQueue(rule, table, this.#groups, () => undefined))
    this.#machine.onGone = (_, row) => {
      for (const queue of this.#queues) queue.gone(row)
    }
  }

  get #table() {
    return this.#machine.table('item')
  }

  take(one: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    switch (one.f) {
      case 'write':
      case 'remove':
        return this.#write(one.id, one.f === 'write' ? one : undefined)
      case 'claim':
        return this.#claim(one.of)
      case 'end':
        return this.#end(one.at, one.delay)
      case 'wait':
        this.#now += one.for
    }
  }

  #write(id: string, to: { readonly n: number; readonly lane: string } | undefined): void {
    const row = this.#table.find({ id, at: 'here' })
    // What is worked on stays in its group here.
    const isClaimed = this.#claimed.some(({ work }) => work.row === row)
    const lane = isClaimed ? row?.value['lane'] : to?.lane
    const value = { id, lane, n: to?.n ?? 0, at: 'here' }
    this.#machine.begin(new ByteWriter(64), (this.#change += 1), this.#now)
    if (to !== undefined) this.#machine.put(this.#table, row, value)
    else if (row !== undefined) this.#machine.remove(this.#table, row, 'removed')
    this.#machine.commit((_, written) => {
      for (const queue of this.#queues) queue.notice(written, this.#now)
    })
  }

  #claim(of: number): void {
    const queue = this.#queues[of]!
    const expected = this.#expected(of)
    const work = queue.next(this.#now)
    if (work?.row !== expected) throw new Error(`got ${name(work?.row)}, and was to get ${name(expected)}`)
    if (work === undefined) return
    queue.claim(work)
    this.#claimed.push({ queue: of, work })
  }

  #end(at: number, delay: number): void {
    const [claim] = this.#claimed.splice(at, 1)
    if (claim === undefined) return
    const { queue, work } = claim
    const { row } = work
    const until = this.#now + delay
    this.#queues[queue]!.ended(work, this.#now, until)
    if (work.group !== undefined) this.#groups.free(work.group, 0, 0)
    if (delay > 0) this.#putOff.push({ queue, row, stamp: row.stamp, until })
  }

  /** What a worker is to be given, by a look at everything. */
  #expected(of: number): Row | undefined {
    const isClaimed = (row: Row): boolean =>
      this.#claimed.some(({ queue, work }) => work.row === row && (queue === of || this.#isFifo))
    const isBusy = (lane: unknown): boolean =>
      this.#isFifo && this.#claimed.some(({ work }) => work.row.value['lane'] === lane)
    const isPutOff = (row: Row): boolean =>
      this.#putOff.some((one) => {
        return one.queue === of && one.row === row && one.stamp === row.stamp && one.until > this.#now
      })
    const rows = [...this.#table.rows()]
      .filter(({ value }) => this.#matches[of]!(value['n'] as number))
      .toSorted((one, other) => one.born - other.born)
    const seen = new Set<unknown>()
    for (const row of rows) {
      const { lane } = row.value
      const isFirst = !this.#isFifo || !seen.has(lane)
      seen.add(lane)
      if (isFirst && !isClaimed(row) && !isBusy(lane) && !isPutOff(row)) return row
    }
    return undefined
  }
}

describe.each([false, true])('the queue of a worker (FIFO groups: %s)', (isFifo) => {
  test('[UN3] [SP9] gives what a naive look at all entries would give, whatever is written and given back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const play = new Play(isFifo)
        for (const one of steps) play.take(one)
      }),
      { numRuns: 2_000 },
    )
  })
})

/** Entries of one type with FIFO groups, and the queue of a worker that wants all of them. */
function fifo() {
  const machine = new Machine(defaultLimits)
  const fields = ['id', 'lane', 'at']
  const table = machine.declare({ name: 'item', fields, open: false, id: ['id'], route: ['at'], fifo: 'lane' })
  const groups = new Groups()
  const queue = new WorkQueue({ name: 'all', type: 'item', where: {} }, table, groups, () => undefined)
  machine.onGone = (_, row) => void queue.gone(row)
  const change = (run: () => void): void => {
    machine.begin(new ByteWriter(64), 1, 0)
    run()
    machine.commit((_, written) => queue.notice(written, 0))
  }
  const put = (id: string, lane: string): void =>
    change(() => void machine.put(table, table.find({ id, at: 'here' }), { id, lane, at: 'here' }))
  const remove = (id: string): void => change(() => machine.remove(table, table.find({ id, at: 'here' })!, 'removed'))
  const next = (): unknown => queue.next(0)?.row.value['id']
  const claim = (): Work => {
    const work = queue.next(0)!
    queue.claim(work)
    return work
  }
  const end = (work: Work, until = 0): void => {
    queue.ended(work, 0, until)
    groups.free(work.group ?? '', 0, 0)
  }
  return { put, remove, next, claim, end }
}

test('[SP9] an entry that was put off and goes to another FIFO group holds back the one before no more', () => {
  const { put, next, claim, end } = fifo()
  for (const id of ['a', 'b']) put(id, 'x')
  end(claim(), 100)
  expect(next()).toBeUndefined()
  put('a', 'y')
  expect(claim().row.value['id']).toBe('a')
  expect(next()).toBe('b')
})

test('[SP9] a FIFO group of which many entries have gone goes on with those that come', () => {
  const { put, remove, next, claim, end } = fifo()
  for (let at = 1; at <= 2_000; at++) {
    put(`${at}`, 'x')
    remove(`${at}`)
  }
  for (const id of ['a', 'b', 'c']) put(id, 'x')
  for (const id of ['a', 'b', 'c']) {
    expect(next()).toBe(id)
    const work = claim()
    expect(next()).toBeUndefined()
    remove(id)
    end(work)
  }
})

test('[A8] what is gone does not stay in the queue of a worker that nobody asks', () => {
  const machine = new Machine(defaultLimits)
  const layout: Layout = { name: 'item', fields: ['id', 'n'], open: false, id: ['id'], route: ['id'] }
  const table = machine.declare(layout)
  const queue = new WorkQueue({ name: 'all', type: 'item', where: {} }, table, new Groups(), () => undefined)
  machine.onGone = (_, row) => void queue.gone(row)
  for (let at = 1; at <= 20_000; at++) {
    machine.begin(new ByteWriter(64), at, 0)
    const row = machine.put(table, undefined, { id: `${at}`, n: 1 })
    machine.commit((_, written) => queue.notice(written, 0))
    machine.begin(new ByteWriter(64), at, 0)
    if (at < 20_000) machine.remove(table, row, 'removed')
    machine.commit()
  }
  expect(queue.size).toBeLessThan(3_000)
  expect(queue.next(0)?.row.value['id']).toBe('20000')
})
