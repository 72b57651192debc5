export type { PartitionChannel } from './channel.ts'
export { Router, type Part, type RouteOptions } from './router.ts'
export { SpaceClient, type BatchOutcome, type ClientType } from './space-client.ts'
export { SlotMap, type SlotRange } from './slots.ts'
