import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { locate } from '../spec/locate.ts'
import type { Mutant } from '../spec/read-spec.ts'
import { runTestsOf, type Outcome } from './run-tests.ts'

/** What became of a mutant: `killed` is what a rule with a test shows; every other verdict is a sentence of its own. */
export type Verdict = { readonly killed: true; readonly how: string } | { readonly killed: false; readonly why: string }

/** The unmutated outcome of each rule in each file, kept so that mutants of one rule share it. */
export type Baselines = Map<string, Promise<Outcome>>

/**
 * Applies the mutant in the copy of the repository, runs the tests that must notice it, and takes it back. The same
 * tests must be green without it.
 */
export async function tryMutant(mutant: Mutant, folder: string, baselines: Baselines): Promise<Verdict> {
  const file = locate(mutant.file, folder)
  const test = locate(mutant.test, folder)
  if (file === undefined) return { killed: false, why: `the file ${mutant.file} does not exist` }
  if (test === undefined) return { killed: false, why: `the test ${mutant.test} does not exist` }
  const source = readFileSync(join(folder, file), 'utf8')
  const count = source.split(mutant.before).length - 1
  if (count !== 1) return { killed: false, why: `the old text stands ${count} times in ${file}; it must stand once` }
  const key = `${mutant.rule} ${test}`
  const known = baselines.get(key) ?? runTestsOf(mutant.rule, test, folder)
  baselines.set(key, known)
  const before = await known
  if (before.kind !== 'green') return { killed: false, why: `without the mutant, ${describe(before, mutant, test)}` }
  writeFileSync(
    join(folder, file),
    source.replace(mutant.before, () => mutant.after),
  )
  try {
    const after = await runTestsOf(mutant.rule, test, folder)
    if (after.kind === 'red') return { killed: true, how: `${after.tests} of ${before.tests} tests failed` }
    if (after.kind === 'died') return { killed: true, how: 'the process of its tests died' }
    if (after.kind === 'hung') return { killed: true, how: 'its tests did not end' }
    return { killed: false, why: describe(after, mutant, test) }
  } finally {
    writeFileSync(join(folder, file), source)
  }
}

function describe(outcome: Outcome, { rule }: Mutant, test: string): string {
  switch (outcome.kind) {
    case 'green':
      return `${outcome.tests} tests of [${rule}] in ${test} pass with it`
    case 'red':
      return `${outcome.tests} tests of [${rule}] in ${test} fail`
    case 'none':
      return `${test} has no test of [${rule}]`
    case 'broken':
      return `${test} does not load: ${outcome.why}`
    case 'died':
      return `the process of ${test} dies`
    case 'hung':
      return `the tests of [${rule}] in ${test} do not end`
  }
}
