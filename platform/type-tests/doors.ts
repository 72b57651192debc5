// The doors that the type tests go through and this version does not have yet, as types only.
import type { Client, Unit } from 'plenum'

/** The remote door. */
export declare function connect<U extends Unit>(options: {
  readonly url: string
  readonly unit: U['name']
  readonly token?: () => Promise<string>
}): Promise<Client<U>>

/** The one thing that the page uses of a browser. */
export declare function alert(message: string): void
