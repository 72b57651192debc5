import { stripVTControlCharacters, styleText } from 'node:util'
import { isPlenumError } from '../kernel/index.ts'

/** Characters of a text that is shown in one line. */
const lineCharsMax = 100

/** Where a command writes and how: results to `out`, progress and errors to `err`. */
export interface Output {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** True where progress may overwrite itself. */
  readonly live: boolean
}

/** The output of this process; a reader that goes away, such as `head`, ends it quietly. */
export function processOutput(): Output {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    live: process.stderr.isTTY === true,
  }
}

/** Text in a style, or plain where the standard output is piped or NO_COLOR is set. */
export function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true })
}

/** Rows in columns, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [
    head,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell))),
  ]
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'))
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => stripVTControlCharacters(row[column] ?? '').length)),
  )
  return cells
    .map((row) =>
      row
        .map((cell, column) => (right[column] === true ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
    .concat('\n')
}

/** One progress line that overwrites itself on a terminal; nothing where it is piped. */
export function progress(output: Output, text: string): void {
  if (output.live) output.err(`\r\u001b[K${text}`)
}

/** An error as a person wants it: code, sentence, nothing of the stack. */
export function errorText(error: unknown): string {
  if (isPlenumError(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** JSON with bigints as text and bytes as hexadecimal, which JSON has no form for. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`
    return item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item
  })
}

/** The beginning of a text, without what would break a table or the terminal. */
export function oneLine(text: string, charsMax = lineCharsMax): string {
  const line = stripVTControlCharacters(text).replaceAll(/[\s\p{Cc}]+/gu, ' ')
  return line.length <= charsMax ? line : `${line.slice(0, charsMax - 1)}…`
}
