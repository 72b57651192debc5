import { PlenumError } from 'plenum'
import { bank } from './bank.ts'
import { fifoGroups } from './fifo-groups.ts'
import { queue } from './queue.ts'
import { register } from './register.ts'
import { session } from './session.ts'
import { set } from './set.ts'
import { txn } from './txn.ts'
import { watch } from './watch.ts'
import type { Workload } from './workload.ts'

/** All workloads by name. */
const workloads: Readonly<Record<string, Workload>> = {
  register,
  set,
  bank,
  session,
  queue,
  watch,
  txn,
  'fifo-groups': fifoGroups,
}

/** Their names. */
export const workloadNames: readonly string[] = Object.keys(workloads)

/** The workload of this name. USAGE if there is none. */
export function workloadNamed(name: string): Workload {
  const found = Object.hasOwn(workloads, name) ? workloads[name] : undefined
  if (found !== undefined) return found
  throw new PlenumError('USAGE', `There is no workload '${name}'. There are: ${workloadNames.join(', ')}.`)
}
