import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { mustRun } from '../processes.ts'
import { repositoryRoot } from '../repository.ts'
import { publishedManifest } from './published-manifest.ts'

const platform = join(repositoryRoot, 'platform')

/** Builds the publishable package and returns its folder, `platform/dist`. Throws an Error if tsc finds a mistake. */
export function buildPackage(): string {
  const folder = join(platform, 'dist')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc')
  mustRun(process.execPath, [tsc, '-p', join(platform, 'tsconfig.build.json')], repositoryRoot)
  const manifest = publishedManifest(JSON.parse(readFileSync(join(platform, 'package.json'), 'utf8')))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    if (existsSync(join(repositoryRoot, name))) copyFileSync(join(repositoryRoot, name), join(folder, name))
  }
  return folder
}

/** Packs the built package as npm publishes it, and returns the path of the tarball in the folder `into`. */
export function packPackage(built: string, into: string): string {
  const { stdout } = mustRun('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', into], built)
  // npm 12 answers with an object by package name, the older ones with a list.
  const packed: Readonly<Record<string, { readonly filename: string }>> = JSON.parse(stdout)
  const [first] = Object.values(packed)
  if (first === undefined) throw new Error(`npm pack named no tarball:\n${stdout}`)
  return join(into, first.filename)
}
