// What the functions of a unit log (DG5).
import type { LogFields, LogLevel } from '../runtime/index.ts'

/** What a function of a unit has logged: its text, and fields of the caller's own. */
export interface PartLine {
  /** What errors and logs call the function: `handler transfer`. */
  readonly part: string
  readonly level: LogLevel
  readonly text: string
  readonly fields: LogFields | undefined
  readonly partition?: number | undefined
  /** The record that the call stands in. */
  readonly epoch?: number | undefined
  readonly index?: number | undefined
  /** True where what the call has done was taken back. */
  readonly undone?: true | undefined
}

/** A log for the functions of a unit: a text, and fields that a program can look for. Nothing is logged of inputs by itself. */
export interface PartLog {
  debug(text: string, fields?: LogFields): void
  info(text: string, fields?: LogFields): void
  warn(text: string, fields?: LogFields): void
  error(text: string, fields?: LogFields): void
}

type Add = (level: LogLevel, text: string, fields: LogFields | undefined) => void

/** A log that hands on what it is given; without `add` nothing is kept. */
export function partLog(add: Add | undefined): PartLog {
  const at = (level: LogLevel): PartLog[LogLevel] =>
    add === undefined ? nowhere : (text, fields) => add(level, text, fields)
  return Object.freeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') })
}

/** The log of a function whose lines count at once. */
export function logAtOnce(part: string, onLine: ((line: PartLine) => void) | undefined, partition?: number): PartLog {
  return partLog(onLine && ((level, text, fields) => onLine({ part, level, text, fields, partition })))
}

function nowhere(): void {}
