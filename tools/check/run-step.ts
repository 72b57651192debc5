import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

import { repositoryRoot } from '../repository.ts'
import type { Step, StepResult } from './step.ts'

/** The line with which a step that counts its own tests ends its output. */
const countsLine = /^(\d+) passed, (\d+) failed\b/

/** Runs a step to its end and keeps what it printed. Never rejects: a program that does not start is a failed step. */
export async function runStep(step: Step): Promise<StepResult> {
  const begun = performance.now()
  const { code, output } = await runNode(step.command)
  const durationMs = performance.now() - begun
  const ok = code === 0
  const counts = countsLine.exec(output.trimEnd().split('\n').at(-1) ?? '')
  if (counts === null) return { step, durationMs, output, passed: ok ? 1 : 0, failed: ok ? 0 : 1 }
  const failed = Number(counts[2])
  // A step that failed beside its tests, as when a file does not load, must not look green.
  return { step, durationMs, output, passed: Number(counts[1]), failed: ok ? failed : Math.max(failed, 1) }
}

function runNode(command: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NO_COLOR: '1',
        FORCE_COLOR: undefined,
        PATH: `${join(repositoryRoot, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      },
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    const end = (code: number, note: string): void => {
      resolve({ code, output: Buffer.concat(chunks).toString('utf8') + note })
    }
    child.on('error', (error) => end(1, `The step did not start: ${error.message}\n`))
    child.on('close', (code, signal) => end(code ?? 1, signal === null ? '' : `The step was ended by ${signal}.\n`))
  })
}
