import type { Suite } from '../harness/suite.ts'
import { anchors } from './anchors.ts'
import { devReload } from './dev-reload.ts'
import { footprint } from './footprint.ts'
import { growth } from './growth.ts'
import { levels } from './levels.ts'
import { messages } from './messages.ts'
import { metricsCost } from './metrics-cost.ts'
import { paced } from './paced.ts'
import { peers } from './peers.ts'
import { queries } from './queries.ts'
import { reads } from './reads.ts'
import { recovery } from './recovery.ts'
import { risk } from './risk.ts'
import { snapshots } from './snapshots.ts'
import { threads } from './threads.ts'
import { transactions } from './transactions.ts'
import { transfers } from './transfers.ts'
import { workers } from './workers.ts'
import { workflows } from './workflows.ts'
import { writes } from './writes.ts'

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [
  reads,
  queries,
  writes,
  levels,
  transfers,
  transactions,
  threads,
  messages,
  anchors,
  paced,
  recovery,
  devReload,
  snapshots,
  footprint,
  growth,
  risk,
  metricsCost,
  peers,
  workers,
  workflows,
]
