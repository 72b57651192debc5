import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { isPlenumError, slotOf } from 'plenum'
import { readMarket, type Market } from './market.ts'
import { commandOf, help, type Command } from './options.ts'
import { openPglite, pglitePlace } from './pglite.ts'
import { openServer, serverPlace } from './postgres-server.ts'
import { jsonReport, textReport, type Report } from './report.ts'
import { runRisk } from './run.ts'
import { tradeDatabase, type TradeDatabase } from './trade-database.ts'

type RunCommand = Extract<Command, { kind: 'run' }>

const tradeCount = 10_000
const warmRuns = 15

function databaseFor(command: RunCommand, progress: (step: string) => void): TradeDatabase {
  const url = process.env['DATABASE_URL']
  const folder = join(command.folder, 'database')
  const engine =
    url === undefined || url === ''
      ? { place: pglitePlace(folder), open: () => openPglite(folder) }
      : { place: serverPlace(url), open: () => openServer(url) }
  return tradeDatabase({ ...engine, slotOf, run: randomUUID(), trades: tradeCount, progress })
}

async function run(command: RunCommand, signal: AbortSignal): Promise<void> {
  const progress = (step: string): void => {
    if (command.progress) process.stderr.write(`risk: ${step}\n`)
  }
  const trades = databaseFor(command, progress)
  try {
    const { partitions } = command
    const journalFolder = join(command.folder, 'journal')
    // Read at most once, and only if a partition lacks its days.
    let read: Promise<Market> | undefined
    const market = { read: () => (read ??= readMarket()) }
    const report = await runRisk({ journalFolder, partitions, trades, market, warmRuns, signal, progress })
    await write(command, command.times ? report : { figures: report.figures })
  } finally {
    await trades.close()
  }
}

async function write(command: RunCommand, report: Report): Promise<void> {
  const { format, output } = command
  const colour = output === undefined && process.stdout.hasColors?.() === true && process.stdout.isTTY
  const text = format === 'json' ? jsonReport(report) : textReport(report, { colour })
  if (output === undefined) {
    process.stdout.write(text)
    return
  }
  await mkdir(dirname(output), { recursive: true })
  await writeFile(output, text)
}

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
    if (command.kind === 'help') process.stdout.write(help)
    else await run(command, stop.signal)
    return 0
  } catch (error) {
    if (stopped.by !== undefined) {
      process.stderr.write('risk: stopped; the next run goes on from the journal\n')
      return stopped.by
    }
    process.stderr.write(`risk: ${isPlenumError(error) ? `${error.message} (${error.code})` : String(error)}\n`)
    return isPlenumError(error, 'USAGE') ? 2 : 1
  }
}

// A reader that closes the pipe early, such as `head`, has all it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
process.exitCode = await main(process.argv.slice(2))
