import { PlenumError } from 'plenum'
import { bank } from './bank.ts'
import { register } from './register.ts'
import { session } from './session.ts'
import { set } from './set.ts'
import type { Workload } from './workload.ts'

/** All workloads by name; a sentence where one is not there yet. */
export const workloads: Readonly<Record<string, Workload | string>> = {
  register,
  set,
  bank,
  session,
  queue: 'it needs takes that wait',
  'fifo-groups': 'it needs workers',
  txn: 'it needs transactions over several routes',
  watch: 'it needs watches',
}

/** The names of those that are there. */
export const workloadNames: readonly string[] = Object.keys(workloads).filter(
  (name) => typeof workloads[name] !== 'string',
)

/** The workload of this name. USAGE if it is not there, or not yet. */
export function workloadNamed(name: string): Workload {
  const found = Object.hasOwn(workloads, name) ? workloads[name] : undefined
  if (typeof found === 'object') return found
  const known = `There are: ${workloadNames.join(', ')}.`
  if (found === undefined) throw new PlenumError('USAGE', `There is no workload '${name}'. ${known}`)
  throw new PlenumError('USAGE', `The workload '${name}' is not there yet: ${found}. ${known}`)
}
