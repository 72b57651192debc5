import { expect, test } from 'vitest'

import { lengthsOf, slips } from './slips.ts'

const at = (path: string, text: string): readonly string[] => slips([{ path, text }])

test.each([
  ['platform/src/space/a.ts', 'export * ' + "from './b.ts'", 'by name'],
  ['platform/src/space/a.ts', 'let count = 0', 'object that somebody constructs'],
  ['platform/src/space/a.ts', 'export enum Kind {', 'const object and a union'],
  ['platform/src/unit/a.ts', 'const b = c as any', 'checked function'],
  ['platform/src/unit/a.ts', '  run(c: any, d: string): void', 'checked function'],
  ['platform/src/unit/a.ts', 'type A = any[]', 'checked function'],
  ['apps/risk/a.ts', '// @ts-' + 'ignore', '@ts-expect-error'],
  ['apps/risk/a.test.ts', "  test.only('one', () => {})", 'runs alone'],
  ['apps/risk/a.ts', 'class Trade' + 'Manager {', 'what it is'],
  ['apps/risk/a.ts', 'interface I' + 'Clock {', 'what it is'],
  ['docs/a.md', 'This is a ' + 'TO' + 'DO.', 'finish it'],
  ['docs/a.md', 'Look in `/ho' + 'me/somebody/x`.', 'one machine'],
  ['package-lock.json', '"https://registry.' + 'npmjs.org/x"', 'by the machine that installs'],
  ['platform/src/space/utils.ts', '', 'says nothing'],
  ['platform/src/space/entryType.ts', '', 'kebab-case'],
  ['platform/src/space/a.ts', '\n'.repeat(501), 'split it'],
])('%s: %s', (path, text, why) => {
  expect(at(path, text)).toEqual([expect.stringContaining(why)])
})

test('what looks alike and is right is left alone', () => {
  expect(at('platform/src/space/a.ts', '  let count = 0\nexport { b } from "./b.ts"\ninterface Identity {}')).toEqual(
    [],
  )
  expect(at('platform/src/unit/a.ts', 'interface Part<S extends Shape = any> {}\ntype Every = Part<any>')).toEqual([])
  expect(at('platform/src/unit/a.ts', ' * as any user of it knows: any one.')).toEqual([])
  expect(at('platform/src/space/a.test.ts', 'let count = 0')).toEqual([])
  expect(at('docs/a.md', 'Mount the folder at /var/lib/plenum, or under $HOME/plenum.')).toEqual([])
})

test('lengths leave the tests out', () => {
  const lines = (count: number): string => '\n'.repeat(count - 1)
  const files = [10, 20, 30].map((count) => ({ path: `a${count}.ts`, text: lines(count) }))
  expect(lengthsOf([...files, { path: 'a.test.ts', text: lines(400) }])).toEqual({ files: 3, median: 20, p90: 30 })
})
