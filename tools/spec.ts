// `npm run check -- --only spec`: every rule of SPEC.md in force has a test that cites it and mutants that can be tried,
// and no test cites a rule that does not exist.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { repositoryFiles } from './files.ts'
import { repositoryRoot } from './repository.ts'
import { citedRules } from './spec/cited-rules.ts'
import { coverageMistakes } from './spec/coverage.ts'
import { locate } from './spec/locate.ts'
import { placeMistakes } from './spec/mutant-places.ts'
import { readSpecification } from './spec/read-spec.ts'

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8')

const specification = readSpecification(read('platform/SPEC.md'))
// Contract suites are not named `.test.ts`, and their titles count as well. The tools' own tests cite made-up rules.
const citations = repositoryFiles()
  .filter((path) => path.endsWith('.ts') && !path.startsWith('tools/'))
  .flatMap((path) => citedRules(path, read(path)))

const inForce = specification.rules.filter((rule) => rule.inForce)
const mutants = inForce.flatMap((rule) => rule.mutants)
const named = (path: string): string | undefined => {
  const found = locate(path, repositoryRoot)
  return found === undefined ? undefined : read(found)
}
const mistakes = [...coverageMistakes(specification, citations), ...placeMistakes(mutants, named)]
for (const mistake of mistakes) console.log(mistake)
console.log(
  `${inForce.length} rules in force, ${specification.rules.length - inForce.length} not yet, ` +
    `${citations.length} citations in tests, ${mutants.length} mutants, ${mistakes.length} mistakes`,
)
process.exitCode = mistakes.length > 0 || inForce.length === 0 ? 1 : 0
