import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import type { Mutant } from '../spec/read-spec.ts'
import { choose, readChoice } from './choose.ts'
import { tryMutant } from './try-mutant.ts'
import { workingCopy } from './working-copy.ts'

const mutant: Mutant = { rule: 'ZZ1', file: 'sum.ts', before: 'a + b', after: 'a - b', test: 'sum.test.ts' }

test('a mutant is killed by a test that notices it, survives one that does not, and leaves the copy as it was', async () => {
  using copy = workingCopy()
  const folder = join(copy.folder, 'platform/src')
  mkdirSync(folder, { recursive: true })
  const source = 'export function sum(a: number, b: number): number {\n  return a + b\n}\n'
  writeFileSync(join(folder, 'sum.ts'), source)
  const title = (id: string, body: string): string => `test('${id} a sum', () => {\n  ${body}\n})\n`
  writeFileSync(
    join(folder, 'sum.test.ts'),
    "import { expect, test } from 'vitest'\nimport { sum } from './sum.ts'\n" +
      title('[ZZ1]', 'expect(sum(2, 2)).toBe(4)') +
      title('[ZZ2, ZZ3]', 'expect(sum(2, 0)).toBe(2)') +
      title('[ZZ4]', 'expect(sum(2, 2)).toBe(5)'),
  )
  const verdict = (change: Partial<Mutant>): ReturnType<typeof tryMutant> =>
    tryMutant({ ...mutant, ...change }, copy.folder, new Map())

  expect(await verdict({})).toEqual({ killed: true, how: '1 of 1 tests failed' })
  expect(await verdict({ after: 'process.abort()' })).toEqual({ killed: true, how: 'the process of its tests died' })
  expect(await verdict({ rule: 'ZZ3' })).toMatchObject({ why: expect.stringContaining('pass with it') })
  expect(await verdict({ rule: 'ZZ4' })).toMatchObject({ why: expect.stringContaining('without the mutant') })
  expect(await verdict({ rule: 'ZZ9' })).toMatchObject({ why: expect.stringContaining('has no test of [ZZ9]') })
  expect(await verdict({ after: 'a +' })).toMatchObject({ why: expect.stringContaining('does not load') })
  expect(await verdict({ before: 'number' })).toMatchObject({ why: expect.stringContaining('stands 3 times') })
  expect(await verdict({ file: 'gone.ts' })).toMatchObject({ why: expect.stringContaining('does not exist') })
  expect(readFileSync(join(folder, 'sum.ts'), 'utf8')).toBe(source)
})

test('ten in turn: every mutant has its turn, and the row goes round', () => {
  const mutants = ['A1', 'A2', 'A3', 'A4'].map((rule) => ({ ...mutant, rule }))
  const ids = (seed: number): readonly string[] =>
    choose(mutants, readChoice(['--count', '3'], seed)).map(({ rule }) => rule)
  expect(ids(0)).toEqual(['A1', 'A2', 'A3'])
  expect(ids(7)).toEqual(['A4', 'A1', 'A2'])
  expect(() => choose(mutants, readChoice(['--ids', 'A1,B1'], 0))).toThrow('called B1')
  expect(() => readChoice(['--everything'], 0)).toThrow('Unknown argument')
})
