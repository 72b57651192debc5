import { PlenumError } from '../kernel/index.ts'
import { isUnit, unitDefinition, type Unit } from './unit.ts'
import type { UnitDefinition } from './unit-definition.ts'

/** What a unit's file has to say. */
export interface UnitFile {
  readonly unit: Unit
  readonly definition: UnitDefinition
  /** What it exports as `uses`, for whoever cannot be given it; empty if it does not. */
  readonly uses: Readonly<Record<string, unknown>>
}

/** Loads the file of a unit: its default export, and its `uses` if it has some. UNIT_NOT_LOADED says what is wrong. */
export async function loadUnitFile(address: string, name = address.replace(/^file:\/\//, '')): Promise<UnitFile> {
  let module: { readonly default?: unknown; readonly uses?: unknown }
  try {
    module = (await import(address)) as { readonly default?: unknown; readonly uses?: unknown }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw notLoaded(name, `does not load: ${why}${placeOf(error)}`, error)
  }
  const { default: unit, uses } = module
  if (!isUnit(unit)) {
    throw new PlenumError(
      'UNIT_NOT_LOADED',
      `The file ${name} has no unit as its default export. Write \`export default unit(…)\`.`,
      { details: { file: name } },
    )
  }
  return { unit, definition: unitDefinition(unit), uses: await usesOf(uses, name) }
}

async function usesOf(uses: unknown, name: string): Promise<Readonly<Record<string, unknown>>> {
  let given = uses
  try {
    if (typeof given === 'function') given = await (given as () => unknown)()
  } catch (error) {
    throw notLoaded(name, `has a function \`uses\` that threw: ${String(error)}`, error)
  }
  if (given === undefined) return {}
  if (typeof given === 'object' && given !== null) return given as Readonly<Record<string, unknown>>
  throw notLoaded(name, 'exports `uses`, which is neither an object nor a function that returns one', undefined)
}

/** Where an error lies, as its stack tells: the first file of the application. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const [, place] of stack.matchAll(/(?:^|\(|at )(?:file:\/\/)?(\/[^\s()]+:\d+(?::\d+)?)/gm)) {
    if (place === undefined || place.includes('/node_modules/')) continue
    return `, at ${place.replace(/\?[^:]*/, '')}`
  }
  return ''
}

function notLoaded(file: string, what: string, cause: unknown): PlenumError {
  return new PlenumError('UNIT_NOT_LOADED', `The unit file ${file} ${what}`, { details: { file }, cause })
}
