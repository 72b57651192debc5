import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { PlenumError } from '../kernel/index.ts'

/**
 * Parses what stands behind a command. USAGE names the option that does not exist, lacks its value or has one that it
 * does not take, and leads to the command's help.
 */
export function parseArguments<const O extends ParseArgsOptionsConfig>(
  command: string,
  args: readonly string[],
  options: O,
): ReturnType<typeof parseArgs<{ args: string[]; allowPositionals: true; options: O }>> {
  checkArguments(command, args, options)
  return parseArgs({ args: [...args], allowPositionals: true, options })
}

function checkArguments(command: string, args: readonly string[], options: ParseArgsOptionsConfig): void {
  // Without `strict` nothing is thrown, and the tokens tell what was given; the parser's own errors are no PlenumError.
  const { tokens } = parseArgs({ args: [...args], allowPositionals: true, options, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const known = Object.hasOwn(options, name) ? options[name] : undefined
    if (known === undefined) {
      const names = Object.keys(options).map((option) => `--${option}`)
      throw usage(command, `there is no option '${rawName}'. There are: ${names.join(', ')}`, rawName)
    }
    if (known.type === 'boolean' && value !== undefined) {
      throw usage(command, `the option ${rawName} takes no value, but was given '${value}'`, rawName)
    }
    if (known.type === 'string' && (value === undefined || value === '' || (!inlineValue && value.startsWith('-')))) {
      throw usage(command, `the option ${rawName} lacks its value`, rawName)
    }
  }
}

/** The error for a command line that cannot be understood; `what` is a sentence without its end. */
export function usage(command: string, what: string, option?: string): PlenumError {
  return new PlenumError('USAGE', `plenum ${command}: ${what}. See plenum ${command} --help.`, {
    details: option === undefined ? { command } : { command, option },
  })
}
