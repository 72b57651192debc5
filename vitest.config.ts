import { availableParallelism } from 'node:os'

import { defineConfig } from 'vitest/config'

import { CountingReporter } from './tools/check/counting-reporter.ts'

/** One project for each folder with tests, so that the steps of the check can name them. */
const folders = ['platform', 'apps', 'tools', 'benchmarks', 'simulation', 'examples']

export default defineConfig({
  test: {
    reporters: ['default', new CountingReporter()],
    // One less is vitest's own choice, which on two cores leaves one idle.
    maxWorkers: availableParallelism(),
    projects: folders.map((name) => ({
      test: {
        name,
        include: [`${name}/**/*.test.ts`],
        exclude: ['**/node_modules/**', '**/dist/**'],
        // Tests are told apart by what they find, never by how long they took; this only ends one that hangs.
        testTimeout: 60_000,
      },
    })),
  },
})
