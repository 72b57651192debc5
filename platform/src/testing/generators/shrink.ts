/** Options of `shrink`. */
export interface ShrinkOptions<Step> {
  /** Simpler steps that may stand in the place of one, the simplest first. */
  readonly simpler?: ((step: Step) => readonly Step[]) | undefined
  /** How often the scenario may be run; 500 unless told. */
  readonly triesMax?: number | undefined
}

/** The shortest list that was found to fail, and how often the scenario was run for it. */
export interface Shrunk<Step> {
  readonly steps: readonly Step[]
  readonly tries: number
  /** False if the tries were used up before nothing more could be left out. */
  readonly minimal: boolean
}

/**
 * A shorter list of steps that still fails: delta debugging (A. Zeller and R. Hildebrandt, "Simplifying and isolating
 * failure-inducing input", 2002), which leaves out ever smaller parts until no single step can be left out. The same
 * list and the same `stillFails` give the same result.
 */
export async function shrink<Step>(
  failing: readonly Step[],
  stillFails: (steps: readonly Step[]) => boolean | Promise<boolean>,
  options: ShrinkOptions<Step> = {},
): Promise<Shrunk<Step>> {
  const tries = new Tries(stillFails, options.triesMax ?? 500)
  let steps = await withoutParts(failing, tries)
  if (options.simpler !== undefined) steps = await withSimplerSteps(steps, options.simpler, tries)
  return { steps, tries: tries.count, minimal: !tries.usedUp }
}

class Tries<Step> {
  readonly #stillFails: (steps: readonly Step[]) => boolean | Promise<boolean>
  readonly #max: number
  count = 0
  usedUp = false

  constructor(stillFails: (steps: readonly Step[]) => boolean | Promise<boolean>, max: number) {
    this.#stillFails = stillFails
    this.#max = max
  }

  /** True if these steps fail as well; false without a run once the tries are used up. */
  async fail(steps: readonly Step[]): Promise<boolean> {
    if (this.count >= this.#max) {
      this.usedUp = true
      return false
    }
    this.count += 1
    return this.#stillFails(steps)
  }
}

async function withoutParts<Step>(failing: readonly Step[], tries: Tries<Step>): Promise<readonly Step[]> {
  let steps = failing
  for (let length = Math.ceil(steps.length / 2); length >= 1 && steps.length > 0;) {
    let found = false
    for (let at = 0; at < steps.length;) {
      const rest = steps.toSpliced(at, length)
      if (await tries.fail(rest)) {
        steps = rest
        found = true
      } else {
        at += length
      }
    }
    if (length > 1) length = Math.ceil(length / 2)
    else if (!found) break
  }
  return steps
}

async function withSimplerSteps<Step>(
  failing: readonly Step[],
  simpler: (step: Step) => readonly Step[],
  tries: Tries<Step>,
): Promise<readonly Step[]> {
  let steps = failing
  for (let at = 0; at < steps.length;) {
    const next = await firstFailing(steps, at, simpler(steps[at]!), tries)
    if (next === undefined) at += 1
    else steps = next
  }
  return steps
}

async function firstFailing<Step>(
  steps: readonly Step[],
  at: number,
  candidates: readonly Step[],
  tries: Tries<Step>,
): Promise<readonly Step[] | undefined> {
  for (const candidate of candidates) {
    const changed = steps.with(at, candidate)
    if (await tries.fail(changed)) return changed
  }
  return undefined
}
