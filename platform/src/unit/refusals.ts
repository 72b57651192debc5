import { PlenumError } from '../kernel/index.ts'
import { checkSchema, type CheckedSchema, type Output, type Schema } from '../space/index.ts'

/** The reasons for which a handler may refuse, each with the schema of its data (UN2b). */
export type Refusals = Readonly<Record<string, Schema>>

/** One refusal as its caller gets it. */
export type Refusal<F extends Refusals> = {
  [K in keyof F & string]: { readonly reason: K; readonly data: Output<F[K]> }
}[keyof F & string]

/** Checks the schemas of declared refusals; the errors of `checkSchema`, and UNIT_INVALID for a reason that has no name. */
export function checkRefusals(refusals: Refusals | undefined): ReadonlyMap<string, CheckedSchema> {
  const checked = new Map<string, CheckedSchema>()
  for (const [reason, schema] of Object.entries(refusals ?? {})) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(reason)) {
      throw new PlenumError(
        'UNIT_INVALID',
        `'${reason}' cannot name a refusal: a reason is written in capitals, digits and '_', such as OUT_OF_STOCK.`,
        { details: { reason } },
      )
    }
    checked.set(reason, checkSchema(schema, `The data of the refusal ${reason}`))
  }
  return checked
}
