import { expect, test } from 'vitest'

import { publishedManifest } from './published-manifest.ts'
import { bareImports } from './unfit-files.ts'

test('the published manifest leads to built files, keeps the rest and is not private', () => {
  const published = publishedManifest({
    name: 'plenum',
    private: true,
    exports: { '.': './src/index.ts', './testing': './src/testing/index.ts' },
    bin: { plenum: './src/cli/main.ts' },
    devDependencies: { zod: '1' },
  })
  expect(published).toEqual({
    name: 'plenum',
    sideEffects: false,
    exports: {
      '.': { types: './lib/index.d.ts', default: './lib/index.js' },
      './testing': { types: './lib/testing/index.d.ts', default: './lib/testing/index.js' },
      './package.json': './package.json',
    },
    bin: { plenum: './lib/cli/main.js' },
  })
})

test('an export that leads to no source is refused', () => {
  expect(() => publishedManifest({ exports: { '.': './dist/index.js' } })).toThrow('does not lead to a file of ./src')
})

test('bare imports are found in every form, relative ones and words in strings are not', () => {
  const text = [
    "import { a } from 'zod'",
    'import {',
    '  b,',
    "} from '@scope/name/deep'",
    "export { c } from 'node:fs'",
    "import 'side-effect'",
    "const d = await import('dynamic')",
    "import { e } from './e.js'",
    `const f = "from 'nowhere'"`,
  ].join('\n')
  expect(bareImports(text)).toEqual(['zod', '@scope/name/deep', 'node:fs', 'side-effect', 'dynamic'])
})
