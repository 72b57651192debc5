// `npm run build`: makes the publishable package in platform/dist.
import { relative } from 'node:path'

import { buildPackage } from './package/build-package.ts'
import { repositoryRoot } from './repository.ts'

try {
  console.log(`Built ${relative(repositoryRoot, buildPackage())}. Pack it with: npm pack ./platform/dist`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
