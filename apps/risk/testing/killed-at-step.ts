// The application, killed by itself at the instant it tells a step: `node killed-at-step.ts FOLDER STEP`. A test cannot
// hit these instants from outside, because a line on a pipe takes longer than the load of a partition.
import process from 'node:process'
import { runCommand } from '../command.ts'
import { commandOf } from '../options.ts'

const [folder = '', step = ''] = process.argv.slice(2)
const command = commandOf(['--folder', folder], false)
if (command.kind === 'run') {
  await runCommand(command, new AbortController().signal, (told) => {
    process.stderr.write(`risk: ${told}\n`)
    if (told.startsWith(step)) process.kill(process.pid, 'SIGKILL')
  })
}
