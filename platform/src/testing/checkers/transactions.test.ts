import { describe, expect, test } from 'vitest'
import type { HistoryEvent } from './history.ts'
import { checkTransactions, type MicroOperation } from './transactions.ts'

/** A history of transactions, each after the other, or of some that run at once. */
class Story {
  readonly events: HistoryEvent[] = []
  #op = 0

  /** Transactions that begin together and end together; a `fail` was refused, of an `info` nobody knows. */
  atOnce(
    ...transactions: readonly { readonly type?: 'ok' | 'fail' | 'info'; readonly steps: readonly MicroOperation[] }[]
  ): this {
    const ops = transactions.map(({ steps }) => {
      const op = this.#op++
      const asked = steps.map(([f, key, value]) => [f, key, f === 'r' || f === 'members' ? null : value])
      this.events.push({ process: op, type: 'invoke', f: 'txn', value: asked, time: op, op })
      return op
    })
    transactions.forEach(({ type = 'ok', steps }, at) => {
      const value = type === 'ok' ? steps : undefined
      this.events.push({ process: ops[at]!, type, f: 'txn', value, time: ops[at]!, op: ops[at]! })
    })
    return this
  }

  next(steps: readonly MicroOperation[], type: 'ok' | 'fail' | 'info' = 'ok'): this {
    return this.atOnce({ steps, type })
  }
}

function why(story: Story): string {
  const result = checkTransactions(story.events)
  return result.ok ? 'fine' : result.why
}

describe('transactions', () => {
  test('[TX1] one after the other is fine, and so is at once in any order', () => {
    const story = new Story()
      .next([
        ['append', 'a', 1],
        ['r', 'a', [1]],
      ])
      .atOnce(
        {
          steps: [
            ['append', 'a', 2],
            ['r', 'b', []],
          ],
        },
        {
          steps: [
            ['append', 'b', 1],
            ['r', 'a', [1, 2]],
          ],
        },
      )
      .next([['add', 's', 1]])
      .next([['add', 's', 2]], 'info')
      .next([
        ['r', 'a', [1, 2]],
        ['r', 'b', [1]],
        ['members', 's', [1]],
      ])
    expect(checkTransactions(story.events)).toMatchObject({ ok: true, transactions: 6, unknown: 1, reads: 6 })
  })

  test('[TX1] a write skew, each having read what the other then changed, is found', () => {
    const story = new Story()
      .atOnce(
        {
          steps: [
            ['r', 'a', []],
            ['append', 'b', 1],
          ],
        },
        {
          steps: [
            ['r', 'b', []],
            ['append', 'a', 1],
          ],
        },
      )
      .next([
        ['r', 'a', [1]],
        ['r', 'b', [1]],
      ])
    expect(why(story)).toMatch('No order explains')
  })

  test('[TX1] a lost update is found', () => {
    const story = new Story()
      .atOnce(
        {
          steps: [
            ['r', 'a', []],
            ['append', 'a', 1],
          ],
        },
        {
          steps: [
            ['r', 'a', []],
            ['append', 'a', 2],
          ],
        },
      )
      .next([['r', 'a', [1, 2]]])
    expect(why(story)).toMatch('No order explains')
  })

  test('[TX1] a phantom, where each counted a set to which the other then added, is found', () => {
    const story = new Story()
      .atOnce(
        {
          steps: [
            ['members', 's', []],
            ['add', 's', 1],
          ],
        },
        {
          steps: [
            ['members', 's', []],
            ['add', 's', 2],
          ],
        },
      )
      .next([['members', 's', [1, 2]]])
    expect(why(story)).toMatch('No order explains')
  })

  test('[TX1] a transaction of which one sees half is found', () => {
    const story = new Story().atOnce(
      {
        steps: [
          ['append', 'a', 1],
          ['append', 'b', 1],
        ],
      },
      {
        steps: [
          ['r', 'a', [1]],
          ['r', 'b', []],
        ],
      },
    )
    expect(why(story.next([['r', 'b', [1]]]))).toMatch('No order explains')
  })

  test('[TX1] what was committed before is missing: real time counts', () => {
    expect(why(new Story().next([['append', 'a', 1]]).next([['r', 'a', []]]))).toMatch('No order explains')
    expect(why(new Story().next([['add', 's', 1]]).next([['members', 's', []]]))).toMatch('No order explains')
  })

  test('[TX1] [TX5] what was refused, nobody wrote, or stands twice must not be read', () => {
    expect(why(new Story().next([['append', 'a', 1]], 'fail').next([['r', 'a', [1]]]))).toMatch('never committed')
    expect(why(new Story().next([['r', 'a', [7]]]))).toMatch('nobody wrote 7')
    expect(why(new Story().next([['append', 'a', 1]]).next([['r', 'a', [1, 1]]]))).toMatch('twice')
  })

  test('[TX1] a transaction that does not see its own is found, and so are two orders of one list', () => {
    expect(
      why(
        new Story().next([
          ['append', 'a', 1],
          ['r', 'a', []],
        ]),
      ),
    ).toMatch('its own')
    expect(
      why(
        new Story().next([
          ['add', 's', 1],
          ['members', 's', []],
        ]),
      ),
    ).toMatch('added itself')
    const story = new Story().next([['append', 'a', 1]]).next([['append', 'a', 2]])
    expect(why(story.next([['r', 'a', [1, 2]]]).next([['r', 'a', [2, 1]]]))).toMatch('somebody else')
  })
})
