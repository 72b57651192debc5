import process from 'node:process'
import { isPlenumError } from 'plenum'
import { runCommand, writeReport } from './command.ts'
import { commandOf, help, type RunCommand } from './options.ts'
import { progressOn, silent } from './progress.ts'
import type { Report } from './report.ts'

/** Runs the application; the exit code is that of the help text. */
async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController()
  const stopped: { by?: number } = {}
  // `once`: a second Ctrl-C ends the process at once, which is as safe as a kill.
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(name, () => {
      stopped.by = code
      stop.abort()
    })
  }
  try {
    const command = commandOf(args, process.stderr.isTTY)
    if (command.kind === 'help') {
      process.stdout.write(help)
      return 0
    }
    const report = await reportOf(command, stop.signal)
    await writeReport(command, report)
    return 0
  } catch (error) {
    if (stopped.by !== undefined) {
      process.stderr.write('risk: stopped; the next run goes on from the journal\n')
      return stopped.by
    }
    process.stderr.write(`risk: ${isPlenumError(error) ? `${error.code}: ${error.message}` : String(error)}\n`)
    return isPlenumError(error, 'USAGE') ? 2 : 1
  }
}

async function reportOf(command: RunCommand, signal: AbortSignal): Promise<Report> {
  const progress = command.progress ? progressOn(process.stderr) : silent
  try {
    return await runCommand(command, signal, progress.tell)
  } finally {
    progress.clear()
  }
}

// A reader that closes the pipe early, such as `head`, has all it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
process.exitCode = await main(process.argv.slice(2))
