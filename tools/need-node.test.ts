import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { run, type Ended } from './processes.ts'
import { repositoryRoot } from './repository.ts'

/** Runs the script in a folder that has only these files, on a Node that calls itself so. */
function needNode(files: readonly string[], version: string): Ended {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-need-node-')))
  try {
    mkdirSync(join(folder, 'tools'))
    cpSync(join(repositoryRoot, 'tools/need-node.mjs'), join(folder, 'tools/need-node.mjs'))
    for (const file of files) {
      mkdirSync(join(folder, file, '..'), { recursive: true })
      writeFileSync(join(folder, file), '')
    }
    const claim = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`
    const preload = `data:text/javascript,${encodeURIComponent(claim)}`
    return run(process.execPath, ['--import', preload, 'tools/need-node.mjs'], folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const installed = ['node_modules/node/package.json', 'node_modules/node/bin/node', 'node_modules/vitest/package.json']

test('Node 24 with everything installed passes without a word', () => {
  expect(needNode(installed, '24.1.0')).toEqual({ code: 0, stdout: '', output: '' })
})

test.each([
  ['nothing is installed', [], '20.19.0', 'Run:  npm ci'],
  ['the install script was blocked', ['node_modules/node/package.json'], '20.19.0', 'npm approve-scripts node'],
  ['development dependencies were left out', ['node_modules/zod/package.json'], '22.1.0', 'npm ci --include=dev'],
  ['another Node is used', installed, '22.1.0', 'Use the npm scripts'],
  ['nothing is installed, but the machine has Node 24', [], '24.1.0', 'Run:  npm ci'],
])('when %s it says what to do', (_case, files, version, advice) => {
  const { code, output } = needNode(files, version)
  expect(code).toBe(1)
  expect(output).toContain(advice)
})
