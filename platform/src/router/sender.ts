import type { Command, Wait } from '../space/index.ts'
import type { RouteOptions } from './router.ts'

/** Where the commands of a space go: to the partitions at once, or into a transaction first. */
export interface Sender {
  /** True where nothing is made before a commit. */
  readonly inTransaction: boolean
  readonly partitions: number
  /** The partition of a route (ID3). */
  partitionOf(route: unknown): number
  /** Sends a command to the partition of a route. */
  route(route: unknown, command: Command, options?: RouteOptions): Promise<unknown>
  /** Sends a command to one partition and sees it through. */
  send(partition: number, command: Command, options?: RouteOptions): Promise<unknown>
  /** Sends a command to every partition and returns all values in the order of partitions; the first error ends it. */
  all(command: Command, options?: RouteOptions): Promise<readonly unknown[]>
  /** A wait for a match, with a name that nobody else uses. */
  newWait(ms: number): Wait
  /** Ends a wait at a partition, whoever began it. */
  cancel(partition: number, wait: Wait): Promise<void>
  /** Milliseconds of a clock that never goes back. */
  now(): number
}
