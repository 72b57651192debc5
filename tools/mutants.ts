// Tries mutants of the rules of SPEC.md: each must make the test of its rule fail. The check tries ten in turn,
// `npm run mutants` all; `-- --ids PA1,PA2` some by their rules.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { choose, readChoice } from './mutants/choose.ts'
import { tryMutant, type Baselines } from './mutants/try-mutant.ts'
import { workingCopy } from './mutants/working-copy.ts'
import { repositoryRoot } from './repository.ts'
import { readSpecification } from './spec/read-spec.ts'

/** The commit decides which ten are tried, so that a run can be repeated and all have their turn. */
function seedOfCommit(): number {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: repositoryRoot, encoding: 'utf8' })
  return Number.parseInt(commit.slice(0, 8), 16)
}

try {
  const choice = readChoice(process.argv.slice(2), seedOfCommit())
  const { rules } = readSpecification(readFileSync(join(repositoryRoot, 'platform/SPEC.md'), 'utf8'))
  const mutants = rules.filter(({ inForce }) => inForce).flatMap((rule) => rule.mutants)
  const chosen = choose(mutants, choice)
  const seed = choice.kind === 'some' ? ` (--count ${choice.count} --seed ${choice.seed})` : ''
  console.log(`${chosen.length} of ${mutants.length} mutants${seed}`)

  const queue = chosen.values()
  const baselines: Baselines = new Map()
  let failed = 0
  const work = async (): Promise<void> => {
    using copy = workingCopy()
    for (const mutant of queue) {
      const verdict = await tryMutant(mutant, copy.folder, baselines)
      const change = `${mutant.rule.padEnd(5)} ${mutant.file}: \`${mutant.before}\` -> \`${mutant.after}\``
      if (verdict.killed) console.log(`killed    ${change}: ${verdict.how}`)
      else {
        failed++
        console.log(`NOT KILLED ${change}: ${verdict.why}`)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4, chosen.length) }, work))
  console.log(`${chosen.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
