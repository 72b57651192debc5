import { bank } from './bank.ts'
import { calls } from './calls.ts'
import { chores } from './chores.ts'
import { copies } from './copies.ts'
import { leases } from './leases.ts'
import { messages } from './messages.ts'
import { moves } from './moves.ts'
import { queue } from './queue.ts'
import { register, spots } from './register.ts'
import { set } from './set.ts'
import { sources } from './sources.ts'
import { transactions } from './transactions.ts'
import { watch } from './watch.ts'
import type { Scenario } from './scenario.ts'

/** All scenarios; a campaign plays them in turn. */
export const scenarios: readonly Scenario[] = [
  bank,
  register,
  set,
  calls,
  leases,
  sources,
  queue,
  watch,
  transactions,
  copies,
  spots,
  moves,
  chores,
  messages,
]
