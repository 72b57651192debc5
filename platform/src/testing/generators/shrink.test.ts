import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shrink } from './shrink.ts'

test('what is left fails, and no single step of it can be left out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 9 }), { maxLength: 40 }),
      fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 4 }),
      async (steps, needed) => {
        const fails = (some: readonly number[]): boolean => needed.every((one) => some.includes(one))
        if (!fails(steps)) return
        const shrunk = await shrink(steps, fails, { triesMax: 10_000 })
        expect(shrunk.minimal).toBe(true)
        expect(shrunk.steps.toSorted((a, b) => a - b)).toEqual(needed.toSorted((a, b) => a - b))
        expect(await shrink(steps, fails, { triesMax: 10_000 })).toEqual(shrunk)
      },
    ),
  )
})

test('the order of steps is kept, and two that need each other stay', async () => {
  const fails = async (steps: readonly string[]): Promise<boolean> => {
    const opened = steps.indexOf('open')
    return opened !== -1 && steps.indexOf('kill', opened) > opened
  }
  const steps = ['kill', 'write', 'open', 'write', 'write', 'kill', 'open', 'read']
  expect((await shrink(steps, fails)).steps).toEqual(['open', 'kill'])
})

test('steps are made simpler once nothing can be left out', async () => {
  const fails = (steps: readonly number[]): boolean => steps.reduce((sum, step) => sum + step, 0) >= 10
  const simpler = (step: number): readonly number[] => (step > 0 ? [0, Math.floor(step / 2), step - 1] : [])
  const { steps } = await shrink([3, 50, 1], fails, { simpler })
  expect(steps).toEqual([10])
})

test('the scenario runs no more often than allowed, and the result still fails', async () => {
  let runs = 0
  const fails = (steps: readonly number[]): boolean => {
    runs += 1
    return steps.includes(7)
  }
  const all = Array.from({ length: 64 }, (_, at) => at)
  const shrunk = await shrink(all, fails, { triesMax: 5 })
  expect(runs).toBe(5)
  expect(shrunk).toMatchObject({ tries: 5, minimal: false })
  expect(shrunk.steps).toContain(7)
})
