import { expect, test } from 'vitest'
import { drawKinds, drawMs, faultKinds, faultPlan, noFaults } from './fault-plan.ts'
import { SeededRandom } from './random.ts'
import { World } from './world.ts'

test('a plan has the kinds that it was asked for and no others, and each is the same beside any others', () => {
  expect(faultPlan(new SeededRandom('1'), [])).toEqual(noFaults)
  const all = faultPlan(new SeededRandom('1'), faultKinds)
  for (const kind of faultKinds) {
    const one = faultPlan(new SeededRandom('1'), [kind])
    expect(one).not.toEqual(noFaults)
    for (const part of ['network', 'clock', 'process', 'disk'] as const) {
      for (const [name, value] of Object.entries(one[part])) {
        const usual: unknown = Object.entries(noFaults[part]).find(([key]) => key === name)?.[1]
        const beside: unknown = Object.entries(all[part]).find(([key]) => key === name)?.[1]
        if (value !== usual) expect([kind, name, value]).toEqual([kind, name, beside])
      }
    }
  }
})

test('a seed leaves some kinds out, and each kind is left out by some seeds', () => {
  const drawn = Array.from({ length: 50 }, (_, seed) => drawKinds(new SeededRandom(String(seed))))
  for (const kind of faultKinds) {
    const having = drawn.filter((kinds) => kinds.includes(kind)).length
    expect(having).toBeGreaterThan(20)
    expect(having).toBeLessThan(50)
  }
})

test('a world takes its plan from its seed, from a list of kinds, or as it is', () => {
  expect(new World({ seed: 1 }).faults).toEqual(noFaults)
  expect(new World({ seed: 1, faults: 'all' }).faults).toEqual(new World({ seed: 1, faults: 'all' }).faults)
  expect(new World({ seed: 1, faults: 'all' }).faults).not.toEqual(new World({ seed: 2, faults: 'all' }).faults)
  const loss = new World({ seed: 1, faults: ['loss'] }).faults
  expect(loss).toEqual({ ...noFaults, network: { ...noFaults.network, lossRate: loss.network.lossRate } })
  expect(new World({ seed: 1, faults: loss }).faults).toBe(loss)
})

test('lengths of time keep to their spread', () => {
  const random = new SeededRandom('spread')
  const drawn = Array.from({ length: 10_000 }, () => drawMs(random, { min: 10, mean: 30, max: 1_000 }))
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10)
  expect(Math.max(...drawn)).toBeLessThanOrEqual(1_000)
  expect(drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length).toBeCloseTo(30, -1)
  expect(drawMs(random, { min: 5, mean: 5, max: 5 })).toBe(5)
})
