// The doors that the type tests go through and this version does not have yet, as types only.
import type { Client, Duration, Unit, UsesOption } from 'plenum'

/** The remote door. */
export declare function connect<U extends Unit>(options: {
  readonly url: string
  readonly unit: U['name']
  readonly token?: () => Promise<string>
}): Promise<Client<U>>

/** What a simulated scenario gets. */
export interface World<U extends Unit> {
  readonly client: Client<U>
  kill(member: number): void
  pause(member: number, time: Duration): void
  sleep(time: Duration): Promise<void>
  settle(): Promise<void>
}

/** The simulated grid. */
export declare function simulate<U extends Unit>(
  unit: U,
  options: {
    readonly seed?: number
    readonly members?: number
    readonly partitions?: number
    readonly faults?: 'none' | 'all'
  } & UsesOption<U>,
  scenario: (world: World<U>) => Promise<void>,
): Promise<void>

/** The one thing that the page uses of a browser. */
export declare function alert(message: string): void
