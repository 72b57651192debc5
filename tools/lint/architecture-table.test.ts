import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { repositoryRoot } from '../repository.ts'
import { readLayerTable, type LayerImports } from './architecture-table.ts'
import { layers } from './layers.ts'

const markdown = readFileSync(join(repositoryRoot, 'ARCHITECTURE.md'), 'utf8')

test('the layer table in ARCHITECTURE.md is the one that the linter holds', () => {
  const held: LayerImports = Object.fromEntries(
    Object.entries(layers).map(([name, { imports }]) => [name, imports === 'all' ? imports : imports.toSorted()]),
  )
  expect(readLayerTable(markdown)).toEqual(held)
})

test('every folder of platform/src is a layer of the table', () => {
  const folders = readdirSync(join(repositoryRoot, 'platform/src'), { withFileTypes: true })
  const unknown = folders.filter((folder) => folder.isDirectory() && layers[folder.name] === undefined)
  expect(unknown.map(({ name }) => name)).toEqual([])
})

test('a changed cell, a cell that is no list and a missing table are noticed', () => {
  const table = (cell: string): string =>
    ['| folder | job | may import |', '|---|---|---|', `| \`space/\` | the machine | ${cell} |`].join('\n')
  expect(readLayerTable(table('`codec/`, `unit/`'))).toEqual({ space: ['codec', 'unit'] })
  expect(readLayerTable(table(''))).toEqual({ space: [] })
  expect(() => readLayerTable(table('codec or so'))).toThrow('not a list of folders')
  expect(() => readLayerTable('# Architecture')).toThrow('No table')
})
