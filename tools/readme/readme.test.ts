import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { mustRun } from '../processes.ts'
import { repositoryRoot } from '../repository.ts'
import { firstExample } from './example.ts'

test('the example of README.md runs in an empty folder and prints what README.md says', () => {
  const { source, prints } = firstExample(readFileSync(join(repositoryRoot, 'README.md'), 'utf8'))
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-readme-')))
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'example.ts'), source)
    symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'))
    const { stdout } = mustRun(process.execPath, ['example.ts'], folder)
    expect(stdout).toBe(prints ?? stdout)
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an example is the first block of ts, and what it prints the block of text right after it', () => {
  const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`
  const first = block('sh', 'npm ci') + block('ts', 'const a = 1')
  expect(firstExample(first + block('text', '1'))).toEqual({ source: 'const a = 1\n', prints: '1\n' })
  expect(firstExample(first + block('sh', 'ls') + block('text', '1'))).toMatchObject({ prints: undefined })
  expect(() => firstExample('# Plenum')).toThrow('no example')
})
