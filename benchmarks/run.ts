// `npm run bench`: runs the suites that were named, or all, and prints what they found.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { environmentOf, keepsNothing } from './harness/environment.ts'
import { benchOptions, usage } from './harness/options.ts'
import { runSuites } from './harness/run-suites.ts'
import { markdown } from './harness/table.ts'
import type { Suite } from './harness/suite.ts'
import { suites } from './suites/index.ts'

const options = benchOptions(process.argv.slice(2))
const unknown = options.names.filter((name) => !suites.some((suite) => suite.name === name))
if (options.help) {
  process.stdout.write(usage)
} else if (options.list) {
  for (const { name, measures, onlyNamed } of suites) {
    process.stdout.write(`${name}${onlyNamed === true ? ' (only where it is named)' : ''}: ${measures}\n`)
  }
} else if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark '${unknown.join("', '")}'. There are: ${suites.map(({ name }) => name).join(', ')}.\n`,
  )
  process.exitCode = 2
} else {
  const chosen = suites.filter(({ name, onlyNamed }) =>
    options.names.length === 0 ? onlyNamed !== true : options.names.includes(name),
  )
  const missing = chosen.flatMap((suite) => suite.missing?.() ?? [])
  for (const sentence of missing) process.stderr.write(`${sentence}\n`)
  if (missing.length > 0) process.exitCode = 1
  else await run(chosen)
}

async function run(chosen: readonly Suite[]): Promise<void> {
  const environment = environmentOf(options.folder)
  if (keepsNothing(environment.fileSystem)) {
    options.progress(
      `${environment.fileSystem} keeps nothing: figures at disk mean nothing here. Name a folder with --folder.`,
    )
  }
  const runs = await runSuites(chosen, options)
  const json = JSON.stringify({ environment, runs }, null, 2) + '\n'
  const table = markdown(environment, runs)
  process.stdout.write(options.json ? json : table)
  if (options.save === undefined) return
  const file = join(options.save, environment.date.slice(0, 10))
  await mkdir(options.save, { recursive: true })
  await writeFile(`${file}.json`, json)
  await writeFile(`${file}.md`, table)
}
