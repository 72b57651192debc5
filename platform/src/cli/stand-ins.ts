import { PlenumError } from '../kernel/index.ts'
import { unitDefinition, type Unit } from '../unit/index.ts'

/** What a command gives for a unit's ports where nothing that uses them runs. */
export function standIns(unit: Unit, command: string): Readonly<Record<string, object>> {
  return Object.fromEntries(unitDefinition(unit).uses.map((name) => [name, standIn(name, command)]))
}

function standIn(name: string, command: string): object {
  return new Proxy(
    {},
    {
      get() {
        throw new PlenumError('NOT_HOSTED', `plenum ${command} gives a unit nothing for its port '${name}'.`, {
          details: { port: name },
        })
      },
    },
  )
}
