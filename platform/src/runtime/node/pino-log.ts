import type { Log, LogLevel } from '../ports.ts'

/** Standard output and standard error. */
export type LogOutput = 1 | 2

/**
 * A log of pino: one JSON object a line, with time and level. Written at once, so that nothing is missing when the process
 * ends or is killed. Loaded when it is asked for, since most who embed bring a log of their own.
 */
export async function pinoLog(level: LogLevel, output: LogOutput): Promise<Log> {
  const { destination, pino, stdSerializers } = await import('pino')
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.errWithCause },
  }
  const log: Log = pino(options, destination({ dest: output, sync: true }))
  return log
}
