#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { isPlenumError } from '../kernel/index.ts'
import { deadLetters, deadLettersHelp } from './dead-letters.ts'
import { fork, forkHelp } from './fork.ts'
import { dev, devHelp } from './dev.ts'
import { inspect, inspectHelp } from './inspect.ts'
import { errorText, processOutput, type Output } from './output.ts'
import { replay, replayHelp } from './replay.ts'
import { run, runHelp } from './run.ts'
import { upgrade, upgradeHelp } from './upgrade.ts'

const help = `plenum: data, logic and messages together in memory, every change journaled

  plenum run <unit.ts>             run a unit embedded in this process, over a journal in a folder
  plenum inspect <folder>          verify and show the journals of a folder, now or as of a point before
  plenum fork <folder> <new>       copy an application as it was at a point of time
  plenum replay <folder>           make recorded calls again on changed code, and show the first difference
  plenum dev <unit.ts>             run a unit while you write it: replaced whenever its files change
  plenum dead-letters <unit.ts>    show what a unit has given up, and send it back
  plenum upgrade <unit.ts>         try the entries of a folder under a unit, and go over to it

plenum <command> --help says more; plenum --version prints the version.
`

interface Command {
  readonly run: (args: readonly string[], output: Output) => Promise<number>
  readonly help: string
}

const commands = new Map<string, Command>([
  ['run', { run, help: runHelp }],
  ['dev', { run: dev, help: devHelp }],
  ['inspect', { run: inspect, help: inspectHelp }],
  ['fork', { run: fork, help: forkHelp }],
  ['replay', { run: replay, help: replayHelp }],
  ['dead-letters', { run: deadLetters, help: deadLettersHelp }],
  ['upgrade', { run: upgrade, help: upgradeHelp }],
])

async function main(args: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === 'help') {
    const asked = name === 'help' ? commands.get(rest[0] ?? '') : undefined
    output.out(asked?.help ?? help)
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    output.out(`${version()}\n`)
    return 0
  }
  const command = commands.get(name)
  if (command === undefined) {
    const what = name.startsWith('-') ? 'option' : 'command'
    const known = [...commands.keys()].join(', ')
    output.err(`USAGE: there is no ${what} '${name}'. The commands are: ${known}. See plenum --help.\n`)
    return 2
  }
  try {
    return await command.run(rest, output)
  } catch (error) {
    output.err(`${errorText(error)}\n`)
    return isPlenumError(error, 'USAGE') ? 2 : 1
  }
}

/** The version of this package: its manifest lies two folders above this file, in the repository and published. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  return manifest.version
}

process.exitCode = await main(process.argv.slice(2), processOutput())
