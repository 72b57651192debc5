#!/usr/bin/env node
import { isPlenumError } from '../kernel/index.ts'
import { inspect, inspectHelp } from './inspect.ts'
import { errorText, processOutput, type Output } from './output.ts'
import { run, runHelp } from './run.ts'

const help = `plenum: data, logic and messages together in memory, every change journaled

  plenum run <unit.ts>       run a unit embedded in this process, over a journal in a folder
  plenum inspect <folder>    verify and show the journals of a folder

plenum <command> --help says more.
`

const commands = new Map<string, (args: readonly string[], output: Output) => Promise<number>>([
  ['run', run],
  ['inspect', inspect],
])

async function main(args: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === 'help') {
    output.out(
      name === 'help' && rest[0] === 'run' ? runHelp : name === 'help' && rest[0] === 'inspect' ? inspectHelp : help,
    )
    return name === undefined ? 2 : 0
  }
  const command = commands.get(name)
  if (command === undefined) {
    output.err(`USAGE: there is no command '${name}'. There are: ${[...commands.keys()].join(', ')}.\n`)
    return 2
  }
  try {
    return await command(rest, output)
  } catch (error) {
    output.err(`${errorText(error)}\n`)
    return isUsage(error) ? 2 : 1
  }
}

function isUsage(error: unknown): boolean {
  if (isPlenumError(error, 'USAGE')) return true
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

process.exitCode = await main(process.argv.slice(2), processOutput())
