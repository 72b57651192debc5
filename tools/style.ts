// `npm run check -- --only style`: the rules of STYLE.md that the linter cannot hold.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { repositoryFiles } from './files.ts'
import { repositoryRoot } from './repository.ts'
import { lengthsOf, slips } from './style/slips.ts'

const text = /\.(ts|mts|mjs|js|json|md|yml|yaml|sh|txt|sql|csv)$|^\.[a-z]+rc$|^\.ci\/|^\.gitignore$/
const files = repositoryFiles()
  .filter((path) => text.test(path))
  .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }))
const found = slips(files)
for (const sentence of found) console.log(sentence)
const { files: count, median, p90 } = lengthsOf(files)
console.log(`${count} source files: median ${median} lines, 90th percentile ${p90}; ${found.length} slips`)
process.exitCode = found.length > 0 ? 1 : 0
