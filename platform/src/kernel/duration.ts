import { PlenumError } from './errors.ts'

/** A duration with its unit, such as `'250ms'`, `'2s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const shape = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** Milliseconds of a duration; DURATION_INVALID names the field it stood in. */
export function durationMs(duration: string, field: string): number {
  const match = shape.exec(duration)
  if (!match) {
    throw new PlenumError(
      'DURATION_INVALID',
      `${field} is ${JSON.stringify(duration)}; a duration is a number with a unit, such as '250ms', '2s', '5m', '1h' or '7d'.`,
      { details: { field, value: duration } },
    )
  }
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}
