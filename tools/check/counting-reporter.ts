import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** A skip for a reason that begins so is allowed where a test must run, because that machine cannot run it. */
const optional = 'optional: '

/**
 * Ends the run with `N passed, N failed` for the check, and tells every skipped test with its reason. A skip
 * without a reason fails everywhere; under CI, where every test must run, so does one whose reason does not begin with
 * "optional: ".
 */
export class CountingReporter implements Reporter {
  #passed = 0
  #failed = 0
  readonly #skipped: { readonly name: string; readonly why: string | undefined }[] = []

  onTestCaseResult(test: TestCase): void {
    const result = test.result()
    if (result.state === 'passed') this.#passed++
    else if (result.state === 'failed') this.#failed++
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result()
        const note = result.state === 'skipped' ? result.note : undefined
        // A condition on a whole group leaves no note, so the group's title may tell the reason in brackets.
        const why = note ?? /\(((?:optional: |skipped )[^)]*)\)/.exec(test.fullName)?.[1]
        this.#skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, why })
      }
    }
    for (const { name, why } of this.#skipped) console.log(`skipped: ${name}: ${why ?? 'no reason given'}`)
    const forbidden = this.#skipped.filter(({ why }) => !isAllowed(why))
    if (forbidden.length > 0) {
      console.log('A skipped test must say why (skip with a note), and in CI the note must begin with "optional: ".')
      process.exitCode = 1
    }
    console.log(`${this.#passed} passed, ${this.#failed + forbidden.length} failed`)
  }
}

function isAllowed(why: string | undefined): boolean {
  if (why === undefined) return false
  return process.env['CI'] === undefined || why.startsWith(optional)
}
