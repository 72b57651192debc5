import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { sourcesNamed, undeclaredImports } from './unfit-files.ts'

test('a package that imports what it does not declare, or looks for a source, is unfit', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-unfit-')))
  try {
    mkdirSync(join(folder, 'lib'))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { declared: '1' } }))
    writeFileSync(join(folder, 'lib/a.js'), "import 'declared/part'\nimport { b } from 'missing'\nimport 'node:fs'\n")
    writeFileSync(join(folder, 'lib/b.js'), "new URL('./thread.ts', import.meta.url)\n")
    writeFileSync(join(folder, 'lib/c.js'), "const file = built ? './thread.js' : './thread.ts'\n")
    expect(undeclaredImports(folder)).toEqual([expect.stringContaining('lib/a.js imports missing')])
    expect(sourcesNamed(folder)).toEqual([expect.stringContaining('lib/b.js names ./thread.ts')])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
