export type { PartitionChannel } from './channel.ts'
export { Router, type Part, type RouteOptions } from './router.ts'
export { SlotMap, type SlotRange } from './slots.ts'
