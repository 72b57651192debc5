export { Counts } from './counts.ts'
export {
  drawKinds,
  drawMs,
  faultKinds,
  faultPlan,
  noFaults,
  type FaultKind,
  type FaultPlan,
  type Spread,
} from './fault-plan.ts'
export { FaultSchedule, type FaultTargets } from './fault-schedule.ts'
export { SimulatedMember, type MemberOptions } from './member.ts'
export { SimulatedNetwork, type NetworkOptions } from './network.ts'
export { Process } from './process.ts'
export { SeededRandom } from './random.ts'
export { Trace } from './trace.ts'
export { World, type Bounds, type WorldOptions } from './world.ts'
