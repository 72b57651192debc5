import { inspect, styleText } from 'node:util'
import { isPlenumError } from '../kernel/index.ts'
import type { Log, LogFields, LogLevel } from '../runtime/index.ts'
import { oneLine } from './output.ts'

/** Levels from the least that matters on. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const

const styles: Readonly<Record<LogLevel, Parameters<typeof styleText>[0]>> = {
  debug: 'dim',
  info: 'green',
  warn: 'yellow',
  error: 'red',
}

/** Characters of one field's value that are shown. */
const valueCharsMax = 200

/** A log for people: time, level, text and fields in a line, and below it the stack of an error. Colours on a terminal alone. */
export function prettyLog(level: LogLevel, write: (text: string) => void, wall: () => number): Log {
  const from = logLevels.indexOf(level)
  const at = (name: LogLevel) => (fields: LogFields, text: string) => {
    if (logLevels.indexOf(name) < from) return
    const time = new Date(wall()).toISOString().slice(11, 23)
    const label = styleText(styles[name], name.padEnd(5), { stream: process.stderr, validateStream: true })
    write(`${[time, label, oneLine(text, valueCharsMax), ...pairs(fields)].join(' ')}\n${stackOf(fields['error'])}`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function pairs(fields: LogFields): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${shown(value)}`]))
}

function shown(value: unknown): string {
  if (isPlenumError(value)) return oneLine(`${value.code}: ${value.message}`, valueCharsMax)
  if (value instanceof Error) return oneLine(`${value.name}: ${value.message}`, valueCharsMax)
  return typeof value === 'string' ? oneLine(value, valueCharsMax) : oneLine(inspect(value), valueCharsMax)
}

/** Where an error comes from, with its causes. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  return `${inspect(error, { colors: false }).replaceAll(/^/gm, '    ')}\n`
}
