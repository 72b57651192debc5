import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** How a process of the application ended, and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What a test may do to a running process. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Called with each line of standard error as it comes; `--progress` makes there be some. */
  readonly onLine?: (line: string, child: ChildProcess) => void
  /** The application itself, or the one that kills itself; the application if absent. */
  readonly script?: keyof typeof scripts
  readonly onStart?: (child: ChildProcess) => void
}

const scripts = {
  main: fileURLToPath(new URL('../main.ts', import.meta.url)),
  'killed-at-step': fileURLToPath(new URL('killed-at-step.ts', import.meta.url)),
} as const

/** Runs the application as a process of its own, as a user would, and waits for its end. */
export async function runMain(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { DATABASE_URL: _, ...inherited } = process.env
  const child = spawn(process.execPath, [scripts[options.script ?? 'main'], ...args], {
    env: { ...inherited, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  options.onStart?.(child)
  const out: Buffer[] = []
  const errors: string[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line)
    options.onLine?.(line, child)
  })
  await once(child, 'close')
  return {
    code: child.exitCode,
    signal: child.signalCode,
    stdout: Buffer.concat(out).toString('utf8'),
    stderr: errors.join('\n'),
  }
}
