// What the workers of a process run: the workers of a unit, and the due times of its schedules.
import { PlenumError, type Limits } from '../kernel/index.ts'
import {
  checkQuerySize,
  compileQuery,
  foreseePatch,
  ownLayouts,
  Table,
  whyNoPath,
  type Layout,
  type Rules,
} from '../space/index.ts'
import type { ScheduleDefinition } from './schedule.ts'
import type { UnitDefinition } from './unit-definition.ts'
import { workKey } from './work-key.ts'
import type { WorkerDefinition } from './worker.ts'
import type { WorkerPart } from './worker-run.ts'

/** By the names that claims and failures have: a worker's own, and a schedule's behind a word that no worker can have. */
export function workParts(
  definition: UnitDefinition,
  layouts: ReadonlyMap<string, Layout>,
  rules: ReadonlyMap<string, Rules>,
  limits: Limits,
): ReadonlyMap<string, WorkerPart> {
  const workers = [...definition.workers].map(([name, part]) => {
    const foresee = foreseeing(layouts.get(part.entry)!, rules.get(part.entry)!, limits)
    return { ...workerPart(name, part, definition, limits), foreseePatch: foresee }
  })
  const schedules = [...definition.schedules].map(([name, part]) => schedulePart(name, part, definition, limits))
  return new Map([...workers, ...schedules].map((part) => [part.name, part]))
}

function foreseeing(layout: Layout, { admit }: Rules, { valueBytesMax }: Limits): WorkerPart['foreseePatch'] {
  const table = new Table(0, layout)
  return (entry, fields) => foreseePatch(table, { admit, valueBytesMax }, entry, fields)
}

/** What the due times of a schedule are worked on as. */
export function scheduleWorkName(schedule: string): string {
  return `schedule ${schedule}`
}

/** LIMIT_EXCEEDED or QUERY_INVALID for what a worker cannot ask for. */
function workerPart(
  name: string,
  { entry, where, due, concurrency, timeoutMs, attemptsMax, backoffMs, isIdle, run }: WorkerDefinition,
  { name: unit, entries }: UnitDefinition,
  limits: Limits,
): Omit<WorkerPart, 'foreseePatch'> {
  const { checked, id, route } = entries.get(entry)!
  checkQuerySize(where, limits)
  compileQuery(where, (path) => whyNoPath(checked.shape, path))
  if (due !== undefined && !checked.fieldNames.includes(due)) {
    throw new PlenumError(
      'ENTRY_FIELD_UNKNOWN',
      `Worker '${name}' says that its entries are due at '${due}', which is no field of '${entry}'. It has: ${checked.fieldNames.join(', ')}.`,
      { details: { option: 'due', field: due, known: checked.fieldNames } },
    )
  }
  if (concurrency > limits.workerConcurrencyMax) {
    throw new PlenumError(
      'LIMIT_EXCEEDED',
      `Worker '${name}' asks for a concurrency of ${concurrency}, and may have ${limits.workerConcurrencyMax}.`,
      { details: { limit: 'workerConcurrencyMax', value: limits.workerConcurrencyMax, found: concurrency } },
    )
  }
  return {
    name,
    label: `worker ${name}`,
    type: entry,
    where,
    due,
    concurrency,
    timeoutMs,
    attemptsMax,
    backoffMs,
    isIdle,
    keyOf: (value, stamp) => workKey(unit, name, { name: entry, id, route }, value, stamp),
    run,
  }
}

/** The due times are entries of the partition's own, each of which ends with the claim of whoever has run it. */
function schedulePart(
  name: string,
  part: ScheduleDefinition,
  { name: unit }: UnitDefinition,
  limits: Limits,
): WorkerPart {
  const { timeoutMs, attemptsMax, backoffMs, run } = part
  return {
    name: scheduleWorkName(name),
    label: `schedule ${name}`,
    type: ownLayouts.due.name,
    where: { schedule: name },
    isSpent: true,
    partition: 0,
    concurrency: 1,
    timeoutMs,
    attemptsMax,
    backoffMs,
    foreseePatch: foreseeing(ownLayouts.due, { admit: (value) => value, leaseMs: undefined }, limits),
    keyOf: (value) => `${unit}/${name}/${String(value['at'])}`,
    run: (value, { space, uses, signal, key, now }) => {
      const at = Number(value['at'])
      return run({ at, late: Math.max(0, now - at) }, { space, uses, signal, key })
    },
  }
}
