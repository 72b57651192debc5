/** One step of the check: a command that must end with exit code 0. */
export interface Step {
  /** What `--only` calls it. */
  readonly name: string
  /** What it proves, in a few words, for `--list`. */
  readonly about: string
  /**
   * Paths or patterns of paths without which there is nothing to check yet, from the repository's root. A step whose subject is missing is
   * left out of the list, so that it cannot be counted as passed.
   */
  readonly needs: readonly string[]
  /** The script or program and its arguments; it is run by this Node unless it is an absolute program. */
  readonly command: readonly string[]
}

/** How one step ended. */
export interface StepResult {
  readonly step: Step
  readonly durationMs: number
  readonly output: string
  /** A step that counts its own tests counts as so many; any other counts as one. */
  readonly passed: number
  readonly failed: number
}
