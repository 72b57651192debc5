// Writes a history that any outside checker can judge, or judges one: `npm run history -- --help` says how.
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { isPlenumError, PlenumError } from 'plenum'
import { judge } from './histories/judge.ts'
import { makeHistory } from './histories/make.ts'
import { historyHelp, readHistoryOptions, type HistoryOptions } from './histories/options.ts'
import { failureOf } from './outcome.ts'

/** Makes a history, writes it whatever came of it, and judges what was written; the exit code. */
async function make(options: Extract<HistoryOptions, { readonly kind: 'make' }>): Promise<number> {
  const { workload, output, journal } = options
  const { history, dump, failure } = await makeHistory(options, (text) => console.error(text))
  if (output !== undefined) writeFileSync(output, history)
  // A pipe takes only so much at once.
  else if (!process.stdout.write(history)) await once(process.stdout, 'drain')
  if (journal !== undefined && dump !== undefined) writeFileSync(journal, dump)
  if (failure !== undefined) {
    const { code, message, evidence } = failureOf(failure)
    console.error(`FAILED  ${code}: ${message}\n${evidence}`)
  }
  if (journal !== undefined && dump === undefined) console.error('There is no journal dump: the run ended before.')
  const { ok, text } = judge(history, dump, workload)
  console.error(text)
  return ok && failure === undefined ? 0 : 1
}

/** Judges a history in a file; the exit code. */
function check({ file, journal, workload }: Extract<HistoryOptions, { readonly kind: 'check' }>): number {
  const { ok, text } = judge(contentOf(file), journal === undefined ? undefined : contentOf(journal), workload)
  console.log(text)
  return ok ? 0 : 1
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new PlenumError('USAGE', `The file ${path} cannot be read: ${why}`)
  }
}

async function run(args: readonly string[]): Promise<number> {
  const options = readHistoryOptions(args)
  switch (options.kind) {
    case 'help':
      console.log(historyHelp)
      return 0
    case 'check':
      return check(options)
    case 'make':
      return make(options)
  }
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = isPlenumError(error, 'USAGE') ? 2 : 1
}
