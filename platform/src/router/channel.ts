import type { Request } from '../space/index.ts'

/**
 * The way to one partition, wherever its primary is. The router declares it; compositions provide it.
 * A promise that rejects does so with a PlenumError.
 */
export interface PartitionChannel {
  readonly partition: number
  /**
   * True if the caller lives and dies with the partition, as in one process: then a request cannot be lost between the
   * two, and needs no identity for retries.
   */
  readonly sharesFate: boolean
  /**
   * True if `send` settles only with an answer, or when the partition's thread ends: then deadlines and signals are the
   * router's to keep. A channel over a network ends its calls by itself when it hears nothing.
   */
  readonly answersLate?: true | undefined
  send(request: Request): Promise<unknown>
}
