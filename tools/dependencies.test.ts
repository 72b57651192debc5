import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { repositoryFiles } from './files.ts'
import { repositoryRoot } from './repository.ts'

test('docs/dependencies.md has a line for each dependency of each package.json, and no other', () => {
  const needed = new Set<string>()
  for (const path of repositoryFiles().filter((file) => /(^|\/)package\.json$/.test(file))) {
    const manifest: Partial<Record<'dependencies' | 'devDependencies', Record<string, string>>> = JSON.parse(
      readFileSync(join(repositoryRoot, path), 'utf8'),
    )
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      // The types of a package come with it.
      if (name !== 'plenum' && (!name.startsWith('@types/') || name === '@types/node')) needed.add(name)
    }
  }
  const rows = readFileSync(join(repositoryRoot, 'docs/dependencies.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const documented = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((name) => name[1] ?? ''),
  )
  expect(documented.toSorted()).toEqual([...needed].toSorted())
})
