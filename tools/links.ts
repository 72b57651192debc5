// `npm run check -- --only links`: every relative link and anchor of every document leads somewhere.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { repositoryFiles } from './files.ts'
import { brokenLinks } from './links/broken-links.ts'
import { repositoryRoot } from './repository.ts'

const files = new Set(repositoryFiles())
const documents = new Map(
  [...files]
    .filter((path) => path.endsWith('.md'))
    .map((path) => [path, readFileSync(join(repositoryRoot, path), 'utf8')]),
)
const broken = brokenLinks({ documents, files })
for (const sentence of broken) console.log(sentence)
console.log(`${documents.size} documents, ${broken.length} broken links`)
process.exitCode = broken.length > 0 ? 1 : 0
