import { defineConfig } from 'oxlint'

import { bannedGlobals, bannedProperties } from './tools/lint/bans.ts'
import { importPatterns, layerDepths } from './tools/lint/import-rules.ts'
import { layers } from './tools/lint/layers.ts'

/** Tests and the suites that they share stand outside the layers: they hold them from above. */
const tests = ['**/*.test.ts', '**/*.test-d.ts', '**/contract/**', '**/*-contract.ts']

/** Each layer at each depth has its own list of imports, because a later override replaces an earlier one. */
const layerImports = Object.entries(layers).flatMap(([name, layer]) =>
  layerDepths.map((depth) => ({
    files: [`platform/src/${name}/${'*/'.repeat(depth - 1)}*.ts`],
    excludeFiles: tests,
    rules: { 'no-restricted-imports': ['error', { patterns: [...importPatterns(name, layer, depth)] }] as const },
  })),
)

/** The heart of the platform: everything but the layers that are the way to the world. */
const heart = Object.entries(layers)
  .filter(([, layer]) => layer.world === undefined)
  .map(([name]) => `platform/src/${name}/**/*.ts`)

export default defineConfig({
  plugins: ['typescript', 'import', 'oxc', 'unicorn', 'promise', 'vitest'],
  ignorePatterns: ['**/dist/**', '**/node_modules/**'],
  categories: { correctness: 'error' },
  rules: {
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-var': 'error',
    'prefer-const': 'error',
    'no-throw-literal': 'error',
    'max-lines': ['error', { max: 500 }],
    // A contract suite asks the engine under test what it offers before it says what must hold.
    'vitest/expect-expect': 'off',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    // A handler takes the parts of its context by name; the platform itself is held to more, below.
    'typescript/unbound-method': 'off',
    'vitest/no-conditional-expect': 'off',
    'vitest/no-conditional-tests': 'off',
    'import/no-cycle': 'error',
    'import/no-mutable-exports': 'error',
    'import/no-self-import': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/consistent-type-imports': 'error',
    'typescript/no-unnecessary-type-assertion': 'error',
    'typescript/only-throw-error': 'error',
  },
  overrides: [
    {
      files: ['platform/src/**/*.ts'],
      excludeFiles: tests,
      rules: {
        'import/no-default-export': 'error',
        'typescript/unbound-method': 'error',
        'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      },
    },
    {
      files: heart,
      excludeFiles: tests,
      rules: {
        'no-restricted-globals': ['error', ...bannedGlobals],
        'no-restricted-properties': ['error', ...bannedProperties],
      },
    },
    {
      // The public types need `any` where a type parameter must fit every argument; a value of type any is refused in
      // these folders too, by tools/style.ts.
      files: ['platform/src/space/**/*.ts', 'platform/src/unit/**/*.ts', 'platform/src/workflow/**/*.ts'],
      rules: { 'typescript/no-explicit-any': 'off' },
    },
    ...layerImports,
    {
      files: ['apps/**/*.ts', 'examples/**/*.ts', 'console/**/*.ts'],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                regex: '(^|/)platform/',
                message: 'Use the published sub-paths of plenum: an application has no others.',
              },
            ],
          },
        ],
      },
    },
    // It must parse on the oldest Node that it has a message for.
    { files: ['tools/need-node.mjs'], rules: { 'no-var': 'off' } },
  ],
})
