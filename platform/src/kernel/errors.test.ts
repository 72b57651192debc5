import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodes, PlenumError } from './errors.ts'

const root = new URL('../../../', import.meta.url)
const page = readFileSync(new URL('docs/errors.md', root), 'utf8')
const headings = [...page.matchAll(/^### ([A-Z_]+)$/gm)].map(([, code]) => code)
const tests = globSync('{platform,apps,examples,tools}/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] })
  .filter((file) => !file.endsWith('kernel/errors.test.ts'))
  .map((file) => readFileSync(new URL(file, root), 'utf8'))
  .join('\n')

test('[SP13] the page of errors has a section for each code, and none besides', () => {
  expect(new Set(headings)).toEqual(new Set(Object.keys(errorCodes)))
  expect(headings).toHaveLength(Object.keys(errorCodes).length)
})

test.each(Object.keys(errorCodes))('[SP13] a test meets %s', (code) => {
  expect(tests.includes(code)).toBe(true)
})

test('[SP13] an error says whether to retry: what the table says, unless it knows better', () => {
  expect(new PlenumError('UNKNOWN_OUTCOME', 'text').retry).toBe('same')
  expect(new PlenumError('NOT_PRIMARY', 'text').retry).toBe('elsewhere')
  expect(new PlenumError('UNKNOWN_OUTCOME', 'text', { retry: 'never' }).retry).toBe('never')
})
