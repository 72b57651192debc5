import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** How the tests of one rule in one file ended. */
export type Outcome =
  | { readonly kind: 'green'; readonly tests: number }
  | { readonly kind: 'red'; readonly tests: number }
  /** No test of the file has the rule in its name. */
  | { readonly kind: 'none' }
  /** The file of the test does not load, so that no test ran. */
  | { readonly kind: 'broken'; readonly why: string }
  /** Its process ended in the middle, such as without memory. */
  | { readonly kind: 'died' }
  /** It did not end in time and was killed. */
  | { readonly kind: 'hung' }

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { readonly status: string; readonly message: string }[]
}

const durationMsMax = 180_000

/** Runs the tests in `file` (a path from the folder) whose names cite the rule. */
export async function runTestsOf(rule: string, file: string, folder: string): Promise<Outcome> {
  const reportPath = join(folder, '.vitest-report.json')
  rmSync(reportPath, { force: true })
  const ended = await run(folder, [
    join(folder, 'node_modules/vitest/vitest.mjs'),
    'run',
    file,
    '--reporter=json',
    `--outputFile=${reportPath}`,
    '-t',
    String.raw`\[([A-Za-z0-9]+, *)*${rule}(, *[A-Za-z0-9]+)*\]`,
  ])
  if (ended.hung) return { kind: 'hung' }
  let report: VitestReport
  try {
    report = JSON.parse(readFileSync(reportPath, 'utf8'))
  } catch {
    return { kind: 'broken', why: ended.output.trim() }
  }
  if (report.numFailedTests > 0) return { kind: 'red', tests: report.numFailedTests }
  const broken = report.testResults.find(({ status }) => status === 'failed')
  // What does not load says why; of a process that is gone nobody says anything.
  if (broken?.message === '') return { kind: 'died' }
  if (broken !== undefined) return { kind: 'broken', why: broken.message.trim() }
  if (report.numPassedTests === 0) return { kind: 'none' }
  return { kind: 'green', tests: report.numPassedTests }
}

function run(cwd: string, args: readonly string[]): Promise<{ readonly hung: boolean; readonly output: string }> {
  return new Promise((resolve) => {
    // A group of its own, so that the workers of a mutant that never ends go with it.
    const child = spawn(process.execPath, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    let hung = false
    const limit = setTimeout(() => {
      hung = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, durationMsMax)
    child.on('close', () => {
      clearTimeout(limit)
      resolve({ hung, output })
    })
    child.on('error', (error) => {
      clearTimeout(limit)
      resolve({ hung, output: error.message })
    })
  })
}
