import type { Suite } from '../harness/suite.ts'
import { transfers } from './transfers.ts'

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [transfers]
