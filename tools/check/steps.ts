import type { Step } from './step.ts'

const bin = (path: string): string => `node_modules/${path}`

/**
 * The steps of the check, cheap ones first, so that a slip is told in seconds. CI runs exactly this list.
 * Both compilers check every file: the platform promises to work with TypeScript 6 and 7.
 */
export const steps: readonly Step[] = [
  {
    name: 'format',
    about: 'every file is formatted (oxfmt)',
    needs: ['.oxfmtrc.json'],
    command: [bin('oxfmt/bin/oxfmt'), '--check'],
  },
  {
    name: 'lint',
    about: 'lint, layers, cycles and bans (oxlint, with types)',
    needs: ['oxlint.config.ts'],
    command: [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'],
  },
  {
    name: 'style',
    about: 'file lengths and names, and what no file may contain',
    needs: ['tools/style.ts'],
    command: ['tools/style.ts'],
  },
  {
    name: 'types',
    about: 'types, by TypeScript 7',
    needs: ['tsconfig.json'],
    command: [bin('typescript/bin/tsc'), '-p', 'tsconfig.json'],
  },
  {
    name: 'types-6',
    about: 'types, by TypeScript 6',
    needs: ['tsconfig.json'],
    command: [bin('typescript-6/bin/tsc'), '-p', 'tsconfig.json'],
  },
  {
    name: 'links',
    about: "the documents' links and anchors",
    needs: ['tools/links.ts'],
    command: ['tools/links.ts'],
  },
  {
    name: 'spec',
    about: 'each rule of SPEC.md in force has a test and a mutant',
    needs: ['tools/spec.ts', 'platform/SPEC.md'],
    command: ['tools/spec.ts'],
  },
  {
    name: 'dead-code',
    about: 'no unused file, export or dependency (knip)',
    needs: ['knip.json', 'platform/src/index.ts'],
    command: [bin('knip/bin/knip.js'), '--no-progress'],
  },
  {
    name: 'tests',
    about: 'unit and contract tests, and the benchmarks at small size',
    needs: ['vitest.config.ts'],
    command: [
      bin('vitest/vitest.mjs'),
      'run',
      ...['platform', 'apps', 'tools', 'benchmarks', 'simulation'].flatMap((project) => ['--project', project]),
    ],
  },
  {
    name: 'examples',
    about: 'the examples',
    needs: ['examples/**/*.test.ts'],
    command: [bin('vitest/vitest.mjs'), 'run', '--project', 'examples'],
  },
  {
    name: 'simulation',
    about: 'fixed and fresh seeds of the simulated grid',
    needs: ['simulation/check.ts'],
    command: ['simulation/check.ts'],
  },
  {
    name: 'mutants',
    about: 'ten mutants of the rules in turn, each killed by its test',
    needs: ['tools/mutants.ts', 'platform/SPEC.md'],
    command: ['tools/mutants.ts', '--count', '10'],
  },
  {
    name: 'package',
    about: 'the packed package in an empty folder (publint, attw, example, types)',
    needs: ['tools/package.ts', 'platform/src/index.ts', 'README.md'],
    command: ['tools/package.ts'],
  },
]
