import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = import.meta.dirname
const programs = readdirSync(folder).filter((name) => /^\d\d-.+\.ts$/.test(name))

/** What a program says at its end that it prints: the comment after "// Prints:". */
function announced(source: string): string {
  const [, comment] = source.split('\n// Prints:\n')
  if (comment === undefined) throw new Error('The program does not say at its end what it prints.')
  return comment.replaceAll(/^\/\/ ?/gm, '')
}

test('the examples are numbered without a gap', () => {
  // Some are a folder, with a test of their own.
  const examples = readdirSync(folder).filter((name) => /^\d\d-/.test(name))
  expect(examples.map((name) => Number(name.slice(0, 2)))).toEqual(examples.map((_, at) => at + 1))
  expect(programs.length).toBeGreaterThan(0)
})

test.each(programs)('%s prints what it says', (name) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, name)], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: announced(readFileSync(join(folder, name), 'utf8')),
    stderr: '',
  })
})
