// `npm run check -- --only package`: builds and packs the package, lints the tarball, installs it into an empty
// folder and runs and compiles the example of README.md there, as a stranger would.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { followGuide } from './guide/follow-guide.ts'
import { readGuide } from './guide/read-guide.ts'
import { buildPackage, packPackage } from './package/build-package.ts'
import { compilers, compilerSettings, Consumer, temporaryFolder } from './package/consumer.ts'
import { sourcesNamed, undeclaredImports } from './package/unfit-files.ts'
import { mustRun } from './processes.ts'
import { firstExample } from './readme/example.ts'
import { repositoryRoot } from './repository.ts'

const bin = (path: string): string => join(repositoryRoot, 'node_modules', path)

const guides = [
  'docs/getting-started.md',
  'docs/units.md',
  'docs/queries.md',
  'docs/watching.md',
  'docs/leases.md',
  'docs/transactions.md',
  'docs/messages.md',
  'docs/time-travel.md',
  'docs/workers.md',
  'docs/services-and-schedules.md',
  'docs/projections.md',
  'docs/sinks.md',
  'docs/upgrades.md',
  'docs/workflows.md',
  'docs/testing.md',
  'docs/coming-from/bullmq.md',
  'docs/coming-from/convex-spacetimedb.md',
  'docs/coming-from/gigaspaces-javaspaces.md',
  'docs/coming-from/hazelcast.md',
  'docs/coming-from/redis.md',
]

async function checkPackage(): Promise<void> {
  using packed = temporaryFolder()
  const built = buildPackage()
  const unfit = [...undeclaredImports(built), ...sourcesNamed(built)]
  if (unfit.length > 0) throw new Error(unfit.join('\n'))
  const tarball = packPackage(built, packed.path)
  mustRun(process.execPath, [bin('publint/src/cli.js'), 'run', tarball, '--strict'], packed.path)
  console.log('publint: nothing to say')
  mustRun(
    process.execPath,
    [bin('@arethetypeswrong/cli/dist/index.js'), tarball, '--profile=esm-only', '--no-definitely-typed'],
    packed.path,
  )
  console.log('attw: the types are right')

  using installed = new Consumer(tarball)
  const { source, prints } = firstExample(readFileSync(join(repositoryRoot, 'README.md'), 'utf8'))
  using consumer = new Consumer(installed)
  consumer.write('example.ts', source)
  const printed = consumer.run('example.ts')
  if (prints !== undefined && printed !== prints) {
    throw new Error(`The example of README.md prints:\n${printed}\nREADME.md says that it prints:\n${prints}`)
  }
  console.log('the example of README.md runs against the tarball')
  for (const compiler of compilers) {
    for (const setting of compilerSettings) {
      consumer.compile(['example.ts'], setting, compiler)
      console.log(`and compiles with ${compiler}, ${setting.name}`)
    }
  }
  const next = guides.filter((guide) => existsSync(join(repositoryRoot, guide))).values()
  await Promise.all(Array.from({ length: readersMax }, () => followAll(next, installed)))
}

/** Guides that are followed at the same time: whoever follows one mostly waits. */
const readersMax = 2

/** Follows one guide after the other, as long as there is one that nobody else follows. */
async function followAll(next: IterableIterator<string>, installed: Consumer): Promise<void> {
  for (const path of next) {
    using reader = new Consumer(installed)
    await followGuide(readGuide(readFileSync(join(repositoryRoot, path), 'utf8')), reader.folder)
    console.log(`${path} can be followed in an empty folder`)
  }
}

try {
  await checkPackage()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
