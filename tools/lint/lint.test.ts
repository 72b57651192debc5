import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { repositoryRoot } from '../repository.ts'
import { bannedGlobals, bannedProperties } from './bans.ts'
import { layers } from './layers.ts'

/** Lints files that exist only for the test, with the repository's own configuration; `file: rule` for each finding. */
function lint(files: Readonly<Record<string, string>>): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-lint-'))
  try {
    for (const path of ['oxlint.config.ts', 'package.json', 'tsconfig.json', 'tools/lint']) {
      cpSync(join(repositoryRoot, path), join(folder, path), { recursive: true })
    }
    symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const oxlint = join(repositoryRoot, 'node_modules/oxlint/bin/oxlint')
    const run = spawnSync(process.execPath, [oxlint, '--format=json', 'platform', 'apps'], {
      cwd: folder,
      encoding: 'utf8',
    })
    const report: { diagnostics: { code: string; filename: string }[] } = JSON.parse(run.stdout)
    return report.diagnostics
      .map(({ filename, code }) => `${filename}: ${code.replace(/^.*\((.*)\)$/, '$1')}`)
      .toSorted()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('every pair of layers: an import is refused exactly where the table does not list it', () => {
  const names = Object.keys(layers)
  const files: Record<string, string> = {}
  const refused: string[] = []
  for (const from of names) {
    for (const to of names.filter((name) => name !== from)) {
      const layer = layers[from]
      const free = to === 'kernel' || layer?.imports === 'all' || layer?.imports.includes(to) === true
      for (const depth of [1, 2]) {
        const folder = `platform/src/${from}/${depth === 2 ? 'inner/' : ''}`
        const target = `${'../'.repeat(depth)}${to}/index.ts`
        files[`${folder}value-${to}.ts`] = `import { one } from '${target}'\nexport const two = one\n`
        files[`${folder}type-${to}.ts`] = `import type { One } from '${target}'\nexport type Two = One\n`
        if (free) continue
        for (const kind of ['value', 'type']) refused.push(`${folder}${kind}-${to}.ts: no-restricted-imports`)
      }
    }
  }
  expect(lint(files)).toEqual(refused.toSorted())
})

test('a second door, a composition file, the package by name and Node itself are refused in a layer', () => {
  const importing = (path: string): string => `import { one } from '${path}'\nexport const two = one\n`
  const found = lint({
    'platform/src/space/door.ts': importing('../codec/value.ts'),
    'platform/src/space/composition.ts': importing('../embedded.ts'),
    'platform/src/cli/composition.ts': importing('../embedded.ts'),
    'platform/src/space/package.ts': importing('plenum'),
    'platform/src/space/disk.ts': importing('node:fs/promises'),
    'platform/src/space/outside.ts': importing('../../../tools/check.ts'),
    'platform/src/journal/checksum.ts': importing('node:zlib'),
    'platform/src/journal/disk.ts': importing('node:fs'),
    'platform/src/runtime/node/disk.ts': importing('node:fs'),
    'platform/src/cli/main.ts': importing('../runtime/node/index.ts'),
    'platform/src/embedded.ts': importing('./runtime/node/index.ts'),
    'platform/src/space/space.test.ts': importing('../testing/index.ts'),
    'apps/risk/inside.ts': importing('../../platform/src/kernel/index.ts'),
    'apps/risk/outside.ts': importing('plenum'),
  })
  expect(found).toEqual([
    'apps/risk/inside.ts: no-restricted-imports',
    'platform/src/journal/disk.ts: no-restricted-imports',
    'platform/src/space/composition.ts: no-restricted-imports',
    'platform/src/space/disk.ts: no-restricted-imports',
    'platform/src/space/door.ts: no-restricted-imports',
    'platform/src/space/outside.ts: no-restricted-imports',
    'platform/src/space/package.ts: no-restricted-imports',
  ])
})

test('the clock, chance, timers and the process are refused in the heart, and free in runtime and tests', () => {
  const files: Record<string, string> = {}
  const refused: string[] = []
  for (const { name } of bannedGlobals) {
    const text = `export const used = ${name}\n`
    files[`platform/src/space/${name}.ts`] = text
    files[`platform/src/space/${name}.test.ts`] = text
    files[`platform/src/runtime/${name}.ts`] = text
    refused.push(`platform/src/space/${name}.ts: no-restricted-globals`)
  }
  for (const { object, property } of bannedProperties) {
    files[`platform/src/unit/${object}-${property}.ts`] = `export const used = ${object}.${property}\n`
    refused.push(`platform/src/unit/${object}-${property}.ts: no-restricted-properties`)
  }
  expect(lint(files)).toEqual(refused.toSorted())
})

test('a cycle of files is refused', () => {
  const found = lint({
    'platform/src/space/one.ts': "import { two } from './two.ts'\nexport const one = (): number => two()\n",
    'platform/src/space/two.ts': "import { one } from './one.ts'\nexport const two = (): number => one()\n",
  })
  expect(found).toEqual(['platform/src/space/one.ts: no-cycle', 'platform/src/space/two.ts: no-cycle'])
})
