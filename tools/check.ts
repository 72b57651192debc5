// `npm test` and `npm run check`: everything that CI runs, in one list (check/steps.ts).
import { globSync } from 'node:fs'

import { paint, readCheckOptions, stepLine } from './check/report.ts'
import { runStep } from './check/run-step.ts'
import type { StepResult } from './check/step.ts'
import { steps } from './check/steps.ts'
import { repositoryRoot } from './repository.ts'

const present = steps.filter(({ needs }) => needs.every((path) => globSync(path, { cwd: repositoryRoot }).length > 0))
const colours = paint(process.stdout.isTTY && process.env['NO_COLOR'] === undefined)

try {
  const { only, list } = readCheckOptions(process.argv.slice(2), present)
  if (list) {
    for (const { name, about } of present) console.log(`${name.padEnd(13)}${about}`)
  } else {
    const results: StepResult[] = []
    for (const step of present) {
      if (only.length > 0 && !only.includes(step.name)) continue
      // Where a person watches, the line of the step that runs stands until its result overwrites it.
      if (process.stdout.isTTY) process.stdout.write(colours.faint(`...    ${step.name}`))
      const result = await runStep(step)
      results.push(result)
      if (process.stdout.isTTY) process.stdout.write('\r\u001B[K')
      console.log(stepLine(result, colours))
      // The whole output of a step is worth reading when it failed, and noise when it did not.
      if (result.failed > 0) console.log(`\n${result.output.trimEnd()}\n`)
    }
    const sum = (of: (result: StepResult) => number): number => results.reduce((total, each) => total + of(each), 0)
    const failedSteps = results.filter(({ failed }) => failed > 0).map(({ step }) => step.name)
    if (failedSteps.length > 0) console.log(colours.bad(`Failed: ${failedSteps.join(', ')}`))
    console.log(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`)
    process.exitCode = failedSteps.length > 0 ? 1 : 0
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
