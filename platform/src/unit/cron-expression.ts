// What a cron expression may say. The rules are stricter than those of the library that walks it (croner), so that a
// schedule means the same wherever it is read: what is not promised here is refused, and nothing that passes is
// refused by the library.

import { PlenumError } from '../kernel/index.ts'

/** A cron expression that was checked. */
export interface CronExpression {
  /** Five fields, or six with the seconds first, separated by one space each; `@` words are written out. */
  readonly text: string
  /** Whether the hours are a wildcard or a step: then it tells an interval, not times of the day. */
  readonly interval: boolean
}

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names of the values from `min` on. */
  readonly names?: readonly string[]
}

const seconds: Field = { name: 'second', min: 0, max: 59 }
const hours: Field = { name: 'hour', min: 0, max: 23 }
const weekdays: Field = {
  name: 'day-of-week',
  min: 0,
  // Both 0 and 7 are Sunday, so that a range can begin or end with it.
  max: 7,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
}
const fiveFields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  hours,
  { name: 'day-of-month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  weekdays,
]

const words: ReadonlyMap<string, string> = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
])

const grammar =
  'A cron expression has five fields, minute hour day-of-month month day-of-week, ' +
  `such as '30 2 * * MON-FRI', or six with the second first, or is one of ${[...words.keys()].join(', ')}.`

/** The expression that `cron` writes. UNIT_INVALID names the field of the expression that is wrong, and why. */
export function checkedCron(cron: string): CronExpression {
  // Plain JavaScript can pass anything.
  const trimmed = String(cron).trim()
  if (trimmed.startsWith('@') && !words.has(trimmed.toLowerCase())) throw invalid(cron, 'no such word exists')
  const parts = (words.get(trimmed.toLowerCase()) ?? trimmed).toUpperCase().split(/\s+/)
  const fields = parts.length === 6 ? [seconds, ...fiveFields] : fiveFields
  if (parts.length !== fields.length) {
    throw invalid(cron, trimmed === '' ? 'it is empty' : `it has ${parts.length} field${parts.length === 1 ? '' : 's'}`)
  }
  for (const [index, field] of fields.entries()) {
    const part = parts[index] ?? ''
    const fault = faultOf(part, field)
    if (fault !== undefined) throw invalid(cron, `its ${field.name} is '${part}', ${fault}`, field.name)
  }
  return { text: parts.join(' '), interval: /[*/]/.test(parts[fields.indexOf(hours)] ?? '') }
}

/** What is wrong with one field, if anything is. */
function faultOf(part: string, field: Field): string | undefined {
  if (part === '*') return undefined
  for (const item of part.split(',')) {
    const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\w+))?$/.exec(item)
    if (!match) return `where '${item}' is no number, range or step; write 5, 1-5, 1-5/2 or */2, with commas between`
    const [, first, last, step] = match
    if (first === undefined && step === undefined) return 'where * stands in a list; write * alone'
    if (first !== undefined && last === undefined && step !== undefined) {
      return `where '${item}' steps from a number; write a range, such as ${first}-${field.max}/${step}`
    }
    const low = valueOf(first ?? '', field)
    const high = last === 'SUN' && field === weekdays ? 7 : valueOf(last ?? '', field)
    if ((first !== undefined && low === undefined) || (last !== undefined && high === undefined)) {
      const names = field.names === undefined ? '' : ` or ${field.names[0]} to ${field.names.at(-1)}`
      return `where '${item}' is not from ${field.min} to ${field.max}${names}`
    }
    if (low !== undefined && high !== undefined && low > high) return `where the range '${item}' runs backwards`
    if (step !== undefined && !(/^\d+$/.test(step) && Number(step) >= 1 && Number(step) <= field.max)) {
      return `where the step of '${item}' is not from 1 to ${field.max}`
    }
  }
  return undefined
}

/** The value that a number or a name stands for, if it is one of the field's. */
function valueOf(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text) ?? -1
  if (named >= 0) return min + named
  const value = Number(text)
  return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined
}

function invalid(cron: string, fault: string, part?: string): PlenumError {
  return new PlenumError('UNIT_INVALID', `cron is ${JSON.stringify(cron)}: ${fault}. ${grammar}`, {
    details: { field: 'cron', value: cron, ...(part === undefined ? {} : { part }) },
  })
}
