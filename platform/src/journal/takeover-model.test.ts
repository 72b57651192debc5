// The rule of takeover, checked over every interleaving of a bounded model before and beside every engine.
// Each bound is stated at its test. Verdicts are those of the real fold over real records.
import { describe, expect, test } from 'vitest'
import { explore, type Explored } from './takeover-model/explore.ts'
import { brokenInvariant, silentLoss, stuckWriter } from './takeover-model/invariants.ts'
import { Model } from './takeover-model/model.ts'
import { Records } from './takeover-model/records.ts'
import type { Bounds, Variant } from './takeover-model/states.ts'

const timeoutMs = 120_000
const nothing = { window: 4, drops: 0, elections: 0, unchecked: 0, regressions: 0, stales: 0, follows: 0 }
const writer = (ops: number, resolves: number): Bounds['writers'][number] => ({ ops, resolves })

function modelOf(bounds: Bounds, variant: Variant): Model {
  const lenient = variant === 'as first written' || variant === 'void records need no explanation'
  return new Model(new Records(lenient), bounds, variant)
}

/** Every reachable state is judged by the invariants; every sixteenth is also led to its end. */
function exploreTakeover(bounds: Bounds, variant: Variant = 'none'): Explored {
  const model = modelOf(bounds, variant)
  let visited = 0
  return explore(
    model,
    (state, meet) => {
      visited += 1
      return brokenInvariant(model, state, meet) ?? (visited % 16 === 1 ? stuckWriter(model, state) : undefined)
    },
    2_000_000,
  )
}

/** Where records can be lost, every reachable state is led to its end, which must be whole or alarmed. */
function exploreLoss(bounds: Bounds, variant: Variant = 'none'): Explored {
  const model = modelOf(bounds, variant)
  return explore(model, (state, meet) => silentLoss(model, state, meet), 2_000_000)
}

describe('the rule, while nothing that was acked is lost', () => {
  test(
    '[JR3] [JR4] three writers with windows of four, late, doubled and lost packets, one unclear outcome each',
    { timeout: timeoutMs },
    () => {
      const explored = exploreTakeover({ ...nothing, writers: [writer(4, 1), writer(4, 1), writer(1, 1)] })
      expect(explored.broken).toBeUndefined()
      expect(explored.states).toBeGreaterThan(100_000)
      expect([...explored.met.keys()].toSorted()).toEqual([
        'a record of a broken window stands where it aimed at, and is void',
        'a record of a deposed writer stands where it aimed at, and is void',
      ])
    },
  )

  test(
    '[JR2] [JR4] three writers, a window of four, a dropped predecessor and an election',
    { timeout: timeoutMs },
    () => {
      const explored = exploreTakeover({
        ...nothing,
        writers: [writer(4, 1), writer(1, 1), writer(1, 1)],
        drops: 1,
        elections: 1,
      })
      expect(explored.broken).toBeUndefined()
      expect(explored.states).toBeGreaterThan(200_000)
      expect(explored.met.get('a record stands elsewhere than it aimed at')).toBeGreaterThan(0)
    },
  )

  test(
    '[JR2] [JR4] two writers, a record that is stored although its check should have failed',
    { timeout: timeoutMs },
    () => {
      const explored = exploreTakeover({
        ...nothing,
        writers: [writer(3, 1), writer(2, 1)],
        drops: 1,
        elections: 1,
        unchecked: 1,
      })
      expect(explored.broken).toBeUndefined()
      expect(explored.states).toBeGreaterThan(100_000)
    },
  )

  test('[JR4] three writers, and an old leader that answers a reading', { timeout: timeoutMs }, () => {
    const explored = exploreTakeover({ ...nothing, writers: [writer(4, 1), writer(1, 1), writer(1, 1)], stales: 1 })
    expect(explored.broken).toBeUndefined()
    expect(explored.states).toBeGreaterThan(40_000)
  })

  test('[JR2] [JR4] two writers, old leaders, a dropped predecessor and an election', { timeout: timeoutMs }, () => {
    const bounds = { ...nothing, window: 3, writers: [writer(3, 1), writer(2, 1)], drops: 1, elections: 1, stales: 2 }
    const explored = exploreTakeover(bounds)
    expect(explored.broken).toBeUndefined()
    expect(explored.met.get('a record stands elsewhere than it aimed at')).toBeGreaterThan(0)
  })

  test('[JR4] a window that moves on: six batches, two unclear outcomes', { timeout: timeoutMs }, () => {
    const explored = exploreTakeover({ ...nothing, writers: [writer(6, 2), writer(3, 1)] })
    expect(explored.broken).toBeUndefined()
  })
})

describe('wrong readings of the rule are caught', () => {
  const bounds = { ...nothing, writers: [writer(4, 2), writer(2, 1)], drops: 1, elections: 1, unchecked: 1 }
  test.for<[Variant, RegExp]>([
    ['refusal is loss', /finds the journal corrupt/],
    ['later acks count', /believes in a record that is not history/],
    ['acks count anywhere', /believes in a record that is not history/],
    ['only the first is stamped anew', /not history|never comes to an end/],
    ['nothing is stamped anew', /never comes to an end/],
  ])('[JR2] [JR4] %s', ([variant, invariant]) => {
    const { broken } = exploreTakeover(bounds, variant)
    expect(broken?.invariant).toMatch(invariant)
    expect(broken?.steps.length).toBeLessThan(12)
  })
})

describe('the rule, when the stream loses its newest records and answers normally', () => {
  test(
    '[JR5] one writer: everything that was acked is there again, and nobody is alarmed',
    { timeout: timeoutMs },
    () => {
      const explored = exploreLoss({ ...nothing, writers: [writer(4, 2)], regressions: 2 })
      expect(explored.broken).toBeUndefined()
      expect(explored.met.get('acked records that were lost are there again')).toBeGreaterThan(0)
      expect(explored.met.get('the alarm is given')).toBeUndefined()
    },
  )

  test.for<[string, Bounds]>([
    ['windows of three', { ...nothing, window: 3, writers: [writer(3, 1), writer(2, 1)], regressions: 1, follows: 1 }],
    ['two losses', { ...nothing, window: 2, writers: [writer(2, 1), writer(1, 1)], regressions: 2, follows: 1 }],
    [
      'an old leader',
      { ...nothing, window: 2, writers: [writer(2, 1), writer(2, 1)], regressions: 1, stales: 1, follows: 1 },
    ],
    [
      'two unclear outcomes',
      { ...nothing, window: 2, writers: [writer(3, 2), writer(1, 2)], regressions: 1, follows: 1 },
    ],
  ])('[JR3] [JR5] two writers, %s: whole again, or alarmed', { timeout: timeoutMs }, ([, bounds]) => {
    const explored = exploreLoss(bounds)
    expect(explored.broken).toBeUndefined()
    expect(explored.met.get('acked records that were lost are there again')).toBeGreaterThan(0)
    expect(explored.met.get('the alarm is given')).toBeGreaterThan(0)
  })

  const smallest = { ...nothing, window: 2, writers: [writer(2, 1), writer(2, 1)], regressions: 1, follows: 1 }

  test.for<Variant>(['as first written', 'void records need no explanation', 'void records are not kept'])(
    '[JR3] [JR5] wrong reading: %s',
    (variant) => {
      const { broken } = exploreLoss(smallest, variant)
      expect(broken?.invariant).toMatch(/nobody has noticed|never comes to an end/)
      expect(broken?.steps.length).toBeLessThan(12)
    },
  )

  test('[JR5] the alarm of a member that does not compare the last record comes all the same, from the fold', () => {
    const { broken, met } = exploreLoss(smallest, 'the last record is not compared')
    expect(broken).toBeUndefined()
    expect(met.get('the alarm is given')).toBeGreaterThan(0)
  })
})
