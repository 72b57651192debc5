import { PlenumError } from 'plenum'
import { bank } from './bank.ts'
import { queue } from './queue.ts'
import { register } from './register.ts'
import { session } from './session.ts'
import { set } from './set.ts'
import { txn } from './txn.ts'
import { watch } from './watch.ts'
import type { Workload } from './workload.ts'

/** All workloads by name; null where one is not there yet. */
const workloads: Readonly<Record<string, Workload | null>> = {
  register,
  set,
  bank,
  session,
  queue,
  watch,
  txn,
  'fifo-groups': null,
}

/** The names of those that are there. */
export const workloadNames: readonly string[] = Object.keys(workloads).filter((name) => workloads[name] !== null)

/** The workload of this name. USAGE if it is not there, or not yet. */
export function workloadNamed(name: string): Workload {
  const found = Object.hasOwn(workloads, name) ? workloads[name] : undefined
  if (found !== undefined && found !== null) return found
  const what = found === null ? `The workload '${name}' is not there yet.` : `There is no workload '${name}'.`
  throw new PlenumError('USAGE', `${what} There are: ${workloadNames.join(', ')}.`)
}
