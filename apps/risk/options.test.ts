import { expect, test } from 'vitest'
import { commandOf, help } from './options.ts'

test('without options the run is on eight partitions in the default folder, as text with times', () => {
  expect(commandOf([], false)).toEqual({
    kind: 'run',
    folder: '.plenum/risk',
    partitions: 8,
    format: 'text',
    output: undefined,
    times: true,
    progress: false,
  })
})

test('every option is understood', () => {
  const args = ['--folder', 'x', '--partitions=2', '--json', '--output', 'y.json', '--no-times', '--progress']
  expect(commandOf(args, false)).toEqual({
    kind: 'run',
    folder: 'x',
    partitions: 2,
    format: 'json',
    output: 'y.json',
    times: false,
    progress: true,
  })
  expect(commandOf(['-h'], false)).toEqual({ kind: 'help' })
})

test('progress is told on a terminal unless it is turned off', () => {
  expect(commandOf([], true)).toMatchObject({ progress: true })
  expect(commandOf(['--no-progress'], true)).toMatchObject({ progress: false })
})

test.each([
  [['--fodler', 'x']],
  [['file']],
  [['--partitions', '0']],
  [['--partitions', '1.5']],
  [['--partitions', '257']],
  [['--partitions', 'eight']],
  [['--folder']],
  [['--folder=']],
  [['--output=']],
  [['--json=yes']],
])('%j is USAGE', (args) => {
  expect(() => commandOf(args, false)).toThrow(expect.objectContaining({ code: 'USAGE', retry: 'never' }))
})

test('the help fits 80 columns and names each option', () => {
  for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  for (const option of [
    '--folder',
    '--partitions',
    '--json',
    '--output',
    '--no-times',
    '--progress',
    '--help',
    'DATABASE_URL',
  ]) {
    expect(help).toContain(option)
  }
})
