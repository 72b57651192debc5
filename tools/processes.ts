import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'

import { repositoryRoot } from './repository.ts'

/** What a program printed and how it ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  /** Both streams, for a person to read. */
  readonly output: string
}

/** Runs a program to its end, without a terminal and without colours. `node` and what npm installed are on the PATH. */
export function run(program: string, args: readonly string[], cwd: string): Ended {
  const ended = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
    env: {
      ...process.env,
      NO_COLOR: '1',
      PATH: `${join(repositoryRoot, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    },
  })
  if (ended.error !== undefined) return { code: 127, stdout: '', output: ended.error.message }
  return { code: ended.status ?? 1, stdout: ended.stdout, output: ended.stdout + ended.stderr }
}

/** The same, for a program that must succeed. Throws an Error with everything that it printed if it does not. */
export function mustRun(program: string, args: readonly string[], cwd: string): Ended {
  const ended = run(program, args, cwd)
  if (ended.code !== 0) {
    throw new Error(`${[program, ...args].join(' ')} ended with ${ended.code}:\n${ended.output.trim()}`)
  }
  return ended
}
