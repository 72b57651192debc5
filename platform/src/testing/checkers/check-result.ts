import { PlenumError } from '../../kernel/index.ts'

/** The rules were broken: what happened, in one sentence, and the least that shows it. */
export interface Violation<Evidence> {
  readonly ok: false
  readonly decided: true
  readonly why: string
  readonly evidence: readonly Evidence[]
}

/** The search ended before it knew; a caller counts it as a failure, or a campaign would pass by giving up. */
export interface Undecided {
  readonly ok: false
  readonly decided: false
  readonly why: string
  readonly evidence: readonly never[]
}

/** What a checker found; `Counts` says how much it looked at, so that a check of nothing is seen to be one. */
export type CheckResult<Counts, Evidence> = (Counts & { readonly ok: true }) | Violation<Evidence> | Undecided

/** A violation with its evidence. */
export function violation<Evidence>(why: string, evidence: readonly Evidence[]): Violation<Evidence> {
  return { ok: false, decided: true, why, evidence }
}

/** The outcome of a search that used up its budget. */
export function undecided(what: string, budget: number): Undecided {
  return {
    ok: false,
    decided: false,
    why: `${what} could not be decided within ${budget} steps; give a larger budget, or fewer operations at once for one key.`,
    evidence: [],
  }
}

/** Throws CHECK_FAILED unless the checker was content; an undecided check fails too. `what` names the check. */
export function requireOk<Counts, Evidence>(
  what: string,
  result: CheckResult<Counts, Evidence>,
): Counts & { readonly ok: true } {
  if (result.ok) return result
  throw new PlenumError('CHECK_FAILED', `${what}: ${result.why}`, {
    details: { what, decided: result.decided, evidence: result.evidence },
  })
}
