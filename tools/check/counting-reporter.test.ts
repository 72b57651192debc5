import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { repositoryRoot } from '../repository.ts'
import { run, type Ended } from '../processes.ts'

/** Runs vitest with the reporter on one test file, as a child, with CI set or not. */
function report(body: string, ci: boolean): Ended {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-reporter-')))
  try {
    symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'))
    const reporter = join(repositoryRoot, 'tools/check/counting-reporter.ts')
    writeFileSync(
      join(folder, 'vitest.config.ts'),
      `import { CountingReporter } from '${reporter}'\nexport default { test: { reporters: [new CountingReporter()] } }\n`,
    )
    writeFileSync(join(folder, 'a.test.ts'), `import { expect, test } from 'vitest'\n${body}`)
    const vitest = join(repositoryRoot, 'node_modules/vitest/vitest.mjs')
    return run('env', [...(ci ? ['CI=true'] : ['-u', 'CI']), process.execPath, vitest, 'run'], folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const lastLine = ({ stdout }: Ended): string | undefined => stdout.trimEnd().split('\n').at(-1)

test('passed and failed tests are counted on the last line', () => {
  const ended = report("test('a', () => {})\ntest('b', () => {})\ntest('c', () => expect(1).toBe(2))", true)
  expect(lastLine(ended)).toBe('2 passed, 1 failed')
  expect(ended.code).toBe(1)
})

test('a skip with a reason is told; in CI only an optional one is no failure', () => {
  const body = "test('a', () => {})\ntest('b', (context) => context.skip('no server here'))"
  const anywhere = report(body, false)
  expect(anywhere.stdout).toContain('skipped: a.test.ts > b: no server here')
  expect(anywhere.code).toBe(0)
  const ci = report(body, true)
  expect(lastLine(ci)).toBe('1 passed, 1 failed')
  expect(ci.code).toBe(1)
  expect(report(body.replace('no server', 'optional: no server'), true).code).toBe(0)
})

test('the title of a group that is skipped by a condition may tell the reason', () => {
  const group = (why: string): string =>
    `import { describe } from 'vitest'\ndescribe.skipIf(true)('a server (${why})', () => test('a', () => {}))\ntest('b', () => {})`
  expect(report(group('skipped without one'), false).code).toBe(0)
  expect(report(group('skipped without one'), true).code).toBe(1)
  expect(report(group('optional: without one'), true).code).toBe(0)
})

test('a skip without a reason is a failure everywhere', () => {
  const ended = report("test('a', () => {})\ntest.skip('b', () => {})", false)
  expect(lastLine(ended)).toBe('1 passed, 1 failed')
  expect(ended.code).toBe(1)
})
