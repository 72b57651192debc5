import { expect, test } from 'vitest'

import { citedRules } from './cited-rules.ts'
import { coverageMistakes } from './coverage.ts'
import { placeMistakes } from './mutant-places.ts'
import { readSpecification } from './read-spec.ts'

const markdown = [
  '# Specification',
  '## Partitions',
  '- **PA1** An answer is held.',
  '  - mutant: `src/a.ts` `if (held)` -> `if (!held)` (test: `src/a.test.ts`)',
  '  - mutant: `src/a.ts` `` `index ${index}` `` -> `` `index 0` `` (test: `src/b.test.ts`)',
  '- **PA2** One winner.',
  '### Not in force yet',
  '- **PA6** Later.',
  '## Units',
  '- **UN2a** Handlers are synchronous.',
  '  - mutant: `src/b.ts` `old` (test: `src/b.test.ts`)',
].join('\n')

test('rules, their mutants and the headings over them are read', () => {
  const { rules, mistakes } = readSpecification(markdown)
  expect(rules.map(({ id, inForce, mutants }) => [id, inForce, mutants.length])).toEqual([
    ['PA1', true, 2],
    ['PA2', true, 0],
    ['PA6', false, 0],
    ['UN2a', true, 0],
  ])
  expect(rules[0]?.mutants[0]).toEqual({
    rule: 'PA1',
    file: 'src/a.ts',
    before: 'if (held)',
    after: 'if (!held)',
    test: 'src/a.test.ts',
  })
  expect(rules[0]?.mutants[1]).toMatchObject({ before: '`index ${index}`', after: '`index 0`' })
  expect(mistakes).toEqual([expect.stringContaining('SPEC.md:11: this mutant cannot be read')])
})

test('titles are found through each, skipIf and line breaks; skipped tests and bodies are not titles', () => {
  const text = [
    "test('[PA1] held', () => {})",
    "it.each([[1], [2]])('[PA2, PA3] with %s', () => {})",
    'describe(',
    '  `[UN2a] handlers of ${name}`, () => {})',
    "test.skipIf(none())('[JR1] maybe', () => {})",
    "test.skip('[SP1] never', () => {})",
    "expect(message).toBe('[SP2] no title')",
    "test('a list [x] and an index [0]', () => {})",
  ].join('\n')
  expect(citedRules('a.test.ts', text).map(({ rule, line }) => [rule, line])).toEqual([
    ['PA1', 1],
    ['PA2', 2],
    ['PA3', 2],
    ['UN2a', 3],
    ['JR1', 5],
  ])
})

test('a rule without a test, a rule without a mutant and an unknown rule are all mistakes', () => {
  const { rules } = readSpecification(markdown)
  const citations = citedRules('a.test.ts', "test('[PA1] a')\ntest('[UN2a] b')\ntest('[PA6] early')\ntest('[ZZ9] c')")
  expect(coverageMistakes({ rules, mistakes: [] }, citations)).toEqual([
    'SPEC.md:6: no test has [PA2] in its name.',
    'SPEC.md:6: rule PA2 has no mutant.',
    'SPEC.md:10: rule UN2a has no mutant.',
    'a.test.ts:4: this test cites [ZZ9], which SPEC.md does not have.',
  ])
})

test('a mutant whose text, file or test is gone is a mistake', () => {
  const mutants = readSpecification(markdown).rules[0]!.mutants
  const files: Record<string, string> = { 'src/a.ts': 'if (held) held()', 'src/a.test.ts': '' }
  expect(placeMistakes(mutants, (path) => files[path])).toEqual([
    'SPEC.md: a mutant of PA1: ``index ${index}`` stands 0 times in src/a.ts; it must stand once.',
    'SPEC.md: a mutant of PA1 names the test src/b.test.ts, which does not exist.',
  ])
  expect(placeMistakes(mutants.slice(0, 1), (path) => (path === 'src/a.ts' ? undefined : ''))).toEqual([
    'SPEC.md: a mutant of PA1 is in src/a.ts, which does not exist.',
  ])
})
