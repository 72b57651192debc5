import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

import { missingLines, type GuideStep } from './read-guide.ts'

/** A command that runs until Ctrl-C, and never shows what the guide says, is given up after so long. */
const waitMsMax = 60_000

/**
 * Does in the folder what a reader of the guide does. Installing is left out: the folder has everything installed.
 * Throws an Error with the command and its output if one fails, or does not print what the guide shows.
 */
export async function followGuide(steps: readonly GuideStep[], folder: string): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'write') {
      mkdirSync(dirname(join(folder, step.file)), { recursive: true })
      writeFileSync(join(folder, step.file), step.text)
    } else if (!/^npm (install|i|init)\b/.test(step.command)) {
      await runCommand(step, folder)
    }
  }
}

async function runCommand(step: Extract<GuideStep, { kind: 'run' }>, folder: string): Promise<void> {
  const child = spawn('bash', ['-c', step.interrupted ? `exec ${step.command}` : step.command], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NO_COLOR: '1',
      // The reader's own Node is 24, and `npx` finds what the folder has installed.
      PATH: [join(folder, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    },
  })
  let output = ''
  const read = (chunk: Buffer): void => {
    output += chunk.toString()
    if (step.interrupted && missingLines(output, step.prints).length === 0) child.kill('SIGINT')
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const limit = step.interrupted ? setTimeout(() => child.kill('SIGKILL'), waitMsMax) : undefined
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode, signal) => resolve(exitCode ?? signal ?? 'nothing'))
  })
  clearTimeout(limit)
  if (code !== 0) throw new Error(`${step.command}\nended with ${code}:\n${output}`)
  const missing = missingLines(output, step.prints)
  if (missing.length > 0) {
    throw new Error(
      `${step.command}\ndoes not print what the guide shows:\n${missing.join('\n')}\nIt prints:\n${output}`,
    )
  }
}
