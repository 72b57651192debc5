import type { Step, StepResult } from './step.ts'

/** Words in colour where a person watches; plain where the output is piped or NO_COLOR is set. */
export interface Paint {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly faint: (text: string) => string
}

/** Colours, or none of them. */
export function paint(coloured: boolean): Paint {
  const wrap =
    (code: number) =>
    (text: string): string =>
      coloured ? `\u001B[${code}m${text}\u001B[0m` : text
  return { good: wrap(32), bad: wrap(31), faint: wrap(2) }
}

/** The line of one step: how it ended, its name, its time in seconds, and its counts where it has some. */
export function stepLine({ step, durationMs, passed, failed }: StepResult, { good, bad, faint }: Paint): string {
  const verdict = failed === 0 ? good('ok    ') : bad('FAILED')
  const seconds = `${(durationMs / 1000).toFixed(1)} s`.padStart(8)
  const counts = passed + failed > 1 ? `  ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}` : ''
  return `${verdict} ${step.name.padEnd(12)}${faint(seconds)}${counts}`
}

/** What the user asked for on the command line. */
export interface CheckOptions {
  readonly only: readonly string[]
  readonly list: boolean
}

/** Reads the arguments of the check. Throws an Error whose message tells the user what to write. */
export function readCheckOptions(args: readonly string[], steps: readonly Step[]): CheckOptions {
  const only: string[] = []
  let list = false
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]
    if (arg === '--list') list = true
    else if (arg === '--only') only.push(...(args[++at] ?? '').split(','))
    else throw new Error(`Unknown argument ${arg}. Use: npm run check -- [--list] [--only step,step]`)
  }
  const known = steps.map(({ name }) => name)
  const unknown = only.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`No step is called ${unknown.join(', ')}. The steps: ${known.join(', ')}`)
  return { only, list }
}
