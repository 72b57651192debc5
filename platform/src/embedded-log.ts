// What an embedded application logs: its events, and what the functions of its unit have to say.
import type { EmbeddedEvent, Options } from './embedded-options.ts'
import { pinoLog } from './runtime/node/index.ts'
import type { Log, LogFields, LogLevel } from './runtime/index.ts'
import type { PartLine } from './unit/index.ts'

export class EmbeddedLog {
  readonly #log: Log
  readonly #unit: string

  private constructor(log: Log, unit: string) {
    this.#log = log
    this.#unit = unit
  }

  /** The log that was asked for: the caller's own, or pino on the standard output; undefined for none. */
  static async open({ log }: Pick<Options, 'log'>, unit: string): Promise<EmbeddedLog | undefined> {
    if (log === undefined) return undefined
    return new EmbeddedLog(typeof log === 'string' ? await pinoLog(log, 1) : log, unit)
  }

  /** The same options, with each event logged. */
  logging(options: Options): Options {
    const onEvent: Options['onEvent'] = (told) => {
      const { level, text, fields } = lineOf(told)
      this.#write(level, { unit: this.#unit, partition: told.partition, ...fields }, text)
      options.onEvent?.(told)
    }
    return { ...options, onEvent }
  }

  /** A function of the unit has something to say. Its own fields stand apart, so that they hide nothing. */
  readonly line = ({ level, text, fields, ...place }: PartLine): void => {
    this.#write(level, { unit: this.#unit, ...place, ...(fields === undefined ? {} : { data: fields }) }, text)
  }

  /** A log that throws must not end what it was told of. */
  #write(level: LogLevel, fields: LogFields, text: string): void {
    try {
      this.#log[level](fields, text)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

interface Line {
  readonly level: LogLevel
  readonly text: string
  readonly fields: LogFields
}

/** An event as a line. Entries and inputs are left out: they may hold what no log should. */
function lineOf({ event }: EmbeddedEvent): Line {
  switch (event.kind) {
    case 'fault':
      return { level: 'error', text: `the ${event.part} threw`, fields: { part: event.part, error: event.error } }
    case 'failed':
      return { level: 'error', text: 'the partition answers nothing any more', fields: { error: event.error } }
    case 'dead-letter': {
      const { part, attempts, message } = event
      return { level: 'error', text: `all attempts of the ${part} have failed`, fields: { part, attempts, message } }
    }
    case 'forked':
      return { level: 'error', text: 'two records were found at one place', fields: { index: event.index } }
    case 'slow-operation': {
      const { kind: _, operation, of, more, ...times } = event
      const tenths = Object.entries(times).map(([name, ms]) => [name, Math.round(ms * 10) / 10])
      const text = of === undefined ? `a slow ${operation}` : `a slow ${operation} of ${of}`
      return { level: 'warn', text, fields: { operation, of, ...Object.fromEntries(tenths), more } }
    }
    default: {
      const { kind, ...rest } = event
      return { level: levels[kind] ?? 'warn', text: kind, fields: rest }
    }
  }
}

/** Events that are no reason to look; all others are warnings. */
const levels: Readonly<Partial<Record<EmbeddedEvent['event']['kind'], LogLevel>>> = {
  role: 'debug',
  recovery: 'debug',
  snapshot: 'debug',
  resolved: 'info',
}
