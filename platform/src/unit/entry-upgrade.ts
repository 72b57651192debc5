// What a unit's code makes of the earlier shapes of one entry type: its schema and its steps, run on one stored value.
//
// I1 A value that was brought up fits the present schema, defaults filled in, and has the id and the route of the one
//    that is stored.
// I2 Whatever a step does, the answer is a value or UPGRADE_REFUSED; it cannot change what it was given.
import { isPlenumError, PlenumError, type ErrorDetails } from '../kernel/index.ts'
import {
  equal,
  validateValue,
  type BringUp,
  type EntryCheck,
  type EntryDefinition,
  type EntryUpgrade,
  type LostField,
  type StoredValue,
} from '../space/index.ts'
import { NamedReads } from './named-reads.ts'
import type { Watch } from './unit-logic.ts'

/** Entries of one type in one partition whose steps are run twice, to find those that are not pure. */
const triedTwiceMax = 16

type Fields = Record<string, unknown>

export class UnitEntryUpgrade implements EntryUpgrade {
  readonly count: number
  readonly schema: string
  readonly fields: EntryUpgrade['fields']
  readonly #entry: EntryDefinition
  readonly #label: string
  readonly #watch: Watch | undefined

  /** `schema` is the hash of the present schema; `watch` is told of each run of a step. */
  constructor(entry: EntryDefinition, schema: string, watch?: Watch) {
    this.count = entry.upgrades.length
    this.schema = schema
    this.fields = entry.upgrades.map(({ from }) => (from.open ? undefined : from.fieldNames))
    this.#entry = entry
    this.#label = upgradeLabel(entry.name)
    this.#watch = watch
  }

  /** The same, watched while its steps run. */
  watched(watch: Watch | undefined): EntryUpgrade {
    return new UnitEntryUpgrade(this.#entry, this.schema, watch)
  }

  readonly run: BringUp = (stored, upgradesBehind) => this.#bringUp(stored, upgradesBehind, undefined)

  keeps(upgradesBehind: number): boolean {
    return upgradesBehind === this.count && !this.#entry.validateAlways
  }

  check(): EntryCheck {
    const reads = this.#entry.upgrades.map((_, at) => new NamedReads(this.#vanishing(at)))
    let tried = 0
    const run: BringUp = (stored, upgradesBehind) => {
      const value = this.#bringUp(stored, upgradesBehind, reads)
      if (upgradesBehind === this.count || tried >= triedTwiceMax) return value
      tried += 1
      if (equal(value, this.#bringUp(stored, upgradesBehind, undefined))) return value
      throw this.#refused(stored, 'IMPURE', 'its steps make another value each time that they run: they must be pure')
    }
    const lost = (): readonly LostField[] =>
      reads.flatMap((one, at) => one.unnamed().map((field) => ({ ...field, upgrade: at + 1 })))
    return { run, lost }
  }

  /** The fields that an upgrade's schema has and the next one does not, and that it does not say may go. */
  #vanishing(at: number): readonly string[] {
    const { upgrades, checked } = this.#entry
    const { from, drops } = upgrades[at]!
    const next = upgrades[at + 1]?.from ?? checked
    if (next.open) return []
    return from.fieldNames.filter((field) => !next.fieldNames.includes(field) && !drops.includes(field))
  }

  #bringUp(stored: StoredValue, upgradesBehind: number, reads: readonly NamedReads[] | undefined): Fields {
    const { upgrades, checked, id, route } = this.#entry
    let value: unknown = stored
    for (let at = upgradesBehind; at < upgrades.length; at++) {
      const { from, step, drops } = upgrades[at]!
      const old = this.#fitting(stored, at, at > upgradesBehind, () => validateValue(from, value))
      const made = this.#step(stored, at, step as (old: StoredValue) => unknown, old, reads?.[at])
      value = drops.length === 0 ? made : without(made, drops, (upgrades[at + 1]?.from ?? checked).fieldNames)
    }
    const isMade = upgradesBehind < upgrades.length
    const present = this.#fitting(stored, upgrades.length, isMade, () =>
      validateValue(checked, value, { unfrozen: true }),
    ) as Fields
    for (const field of [...id, ...route]) {
      if (present[field] === stored[field]) continue
      const part = id.includes(field) ? 'id' : 'route'
      throw this.#refused(stored, 'KEY_CHANGED', `'${field}' is part of its ${part} and would become another`, {
        field,
        part,
      })
    }
    return present
  }

  #step(
    stored: StoredValue,
    at: number,
    step: (old: StoredValue) => unknown,
    old: StoredValue,
    reads: NamedReads | undefined,
  ): unknown {
    this.#watch?.enter(this.#label)
    try {
      return reads === undefined ? step(old) : reads.during(old, step)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const cause = { cause: error }
      throw this.#refused(
        stored,
        'STEP_THREW',
        `upgrade ${at + 1} threw: ${why.replace(/\.$/, '')}`,
        { upgrade: at + 1 },
        cause,
      )
    } finally {
      this.#watch?.leave()
    }
  }

  /** What the schema makes of a value at which step `at` begins; `isMade` by the one before, else as it is stored. */
  #fitting<T>(stored: StoredValue, at: number, isMade: boolean, validate: () => T): T {
    try {
      return validate()
    } catch (error) {
      if (!isPlenumError(error)) throw error
      const details = { ...error.details, ...(isMade ? { upgrade: at } : {}), code: error.code }
      throw this.#refused(stored, 'DOES_NOT_FIT', this.#whyNot(error, at, isMade), details, { cause: error })
    }
  }

  #whyNot({ code, message, details }: PlenumError, at: number, isMade: boolean): string {
    const said = message.replace(/\.$/, '')
    if (isMade) return `what upgrade ${at} makes of it does not fit the schema that comes next. ${said}`
    if (at < this.count) return `it does not fit the schema that upgrade ${at + 1} begins at. ${said}`
    const rest = `Give entries of before what they lack, or say by \`upgrades\` of '${this.#entry.name}' what becomes of them`
    if (code !== 'UNKNOWN_FIELD') return `it does not fit the schema. ${said}. ${rest}`
    const field = typeof details['field'] === 'string' ? details['field'] : ''
    return `it has '${field}', which the schema does not declare any more. ${rest}`
  }

  #refused(
    stored: StoredValue,
    reason: string,
    why: string,
    details: ErrorDetails = {},
    options: { readonly cause?: unknown } = {},
  ): PlenumError {
    const { name, id, route } = this.#entry
    const key = Object.fromEntries([...id, ...route].map((field) => [field, stored[field]]))
    return new PlenumError(
      'UPGRADE_REFUSED',
      `The entry ${keyText(key)} of type '${name}' cannot go on with this unit: ${why}. ` +
        'Nothing was changed: the code of before can go on. `plenum upgrade --dry-run` lists all that does not fit.',
      { ...options, details: { type: name, key, reason, why, ...details } },
    )
  }
}

/** What errors and the watchdog call the steps of an entry type. */
export function upgradeLabel(type: string): string {
  return `upgrade of ${type}`
}

/** What a step made, without the fields that may go and that the next schema does not have. */
function without(made: unknown, drops: readonly string[], fields: readonly string[]): unknown {
  const gone = drops.filter((field) => !fields.includes(field))
  if (typeof made !== 'object' || made === null || !gone.some((field) => field in made)) return made
  return Object.fromEntries(Object.entries(made).filter(([field]) => !gone.includes(field)))
}

/** A key in one line. */
function keyText(key: StoredValue): string {
  return JSON.stringify(key, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item))
}
