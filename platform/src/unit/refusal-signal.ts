import { PlenumError } from '../kernel/index.ts'

/** What `refuse` makes and a handler throws (UN2b): a declared no, not a fault. */
export class RefusalSignal extends Error {
  readonly reason: string
  readonly data: unknown

  constructor(reason: string, data: unknown) {
    super(`refused: ${reason}`)
    this.reason = reason
    this.data = data
  }

  /** The error that the caller gets; `call.attempt` turns it into a value. */
  toError(): PlenumError {
    return new PlenumError('REFUSED', `The handler refused: ${this.reason}.`, {
      details: { reason: this.reason, data: this.data },
    })
  }
}
