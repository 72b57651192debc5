import { expect, test } from 'vitest'

import { paint, readCheckOptions, stepLine } from './report.ts'
import { runStep } from './run-step.ts'
import type { Step } from './step.ts'
import { steps } from './steps.ts'

const step = (script: string): Step => ({ name: 'made-up', about: '', needs: [], command: ['-e', script] })

test.each([
  ["console.log('fine')", 1, 0],
  ["console.error('no'); process.exitCode = 1", 0, 1],
  ["console.log('12 passed, 0 failed')", 12, 0],
  ["console.log('12 passed, 3 failed'); process.exitCode = 1", 12, 3],
  ["console.log('12 passed, 0 failed'); process.exitCode = 1", 12, 1],
  ["process.kill(process.pid, 'SIGKILL')", 0, 1],
  ["throw new Error('thrown')", 0, 1],
])('a step that does %s counts as %i passed and %i failed', async (script, passed, failed) => {
  expect(await runStep(step(script))).toMatchObject({ passed, failed })
})

test('the output of both streams is kept', async () => {
  const { output } = await runStep(step("console.log('out'); console.error('err')"))
  expect(output).toContain('out')
  expect(output).toContain('err')
})

test('a line tells the step, how it ended and how long it took, in colour only where asked', () => {
  const result = { step: step(''), durationMs: 1234, output: '', passed: 4, failed: 2 }
  expect(stepLine(result, paint(false))).toBe('FAILED made-up        1.2 s  4 passed, 2 failed')
  expect(stepLine(result, paint(true))).toContain('\u001B[31m')
})

test('steps can be named, and a name that no step has is told with those that there are', () => {
  expect(readCheckOptions(['--only', 'lint,types'], steps)).toEqual({ only: ['lint', 'types'], list: false })
  expect(readCheckOptions(['--list'], steps)).toEqual({ only: [], list: true })
  expect(() => readCheckOptions(['--only', 'linting'], steps)).toThrow('No step is called linting')
  expect(() => readCheckOptions(['--fast'], steps)).toThrow('Unknown argument --fast')
})
