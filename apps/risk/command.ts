import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { slotOf } from 'plenum'
import { readMarket, type Market } from './market.ts'
import type { RunCommand } from './options.ts'
import { openPglite, pglitePlace } from './pglite.ts'
import { openServer, serverPlace } from './postgres-server.ts'
import { jsonReport, textReport, type Report } from './report.ts'
import { runRisk } from './run.ts'
import { tradeDatabase, type TradeDatabase } from './trade-database.ts'

const tradeCount = 10_000
const warmRuns = 15

/** Chooses the parts of a run and runs it. `progress` is told each step that takes long. */
export async function runCommand(
  command: RunCommand,
  signal: AbortSignal,
  progress: (step: string) => void,
): Promise<Report> {
  const trades = databaseFor(command, progress)
  try {
    // Read at most once, and only if a partition lacks its days.
    let read: Promise<Market> | undefined
    const market = { read: () => (read ??= readMarket()) }
    const { partitions } = command
    const journalFolder = join(command.folder, 'journal')
    const report = await runRisk({ journalFolder, partitions, trades, market, warmRuns, signal, progress })
    return command.times ? report : { figures: report.figures }
  } finally {
    await trades.close()
  }
}

function databaseFor(command: RunCommand, progress: (step: string) => void): TradeDatabase {
  const url = process.env['DATABASE_URL']
  const folder = join(command.folder, 'database')
  const engine =
    url === undefined || url === ''
      ? { place: pglitePlace(folder), open: () => openPglite(folder) }
      : { place: serverPlace(url), open: () => openServer(url) }
  return tradeDatabase({ ...engine, slotOf, run: randomUUID(), trades: tradeCount, progress })
}

/** Writes a report in the form and to the place that the command asks for. */
export async function writeReport(command: RunCommand, report: Report): Promise<void> {
  const { format, output } = command
  const colour = output === undefined && process.stdout.isTTY && process.stdout.hasColors()
  const text = format === 'json' ? jsonReport(report) : textReport(report, { colour })
  if (output === undefined) {
    process.stdout.write(text)
    return
  }
  await mkdir(dirname(output), { recursive: true })
  await writeFile(output, text)
}
