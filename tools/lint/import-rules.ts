import { builtinModules } from 'node:module'

import { layers, type Layer } from './layers.ts'

/**
 * One entry of the linter's `no-restricted-imports`: a path that matches may not be imported. Only `regex` is used:
 * a `group` with an exception (`!`) frees its path from every other pattern too.
 */
export interface ImportPattern {
  readonly regex: string
  readonly message: string
}

/** How deep below its layer's folder a file may lie: `space/x.ts` is 1, `runtime/node/x.ts` is 2. */
export const layerDepths = [1, 2, 3] as const

/**
 * The imports that a file of one layer may not write, as patterns over the text of a relative import. The text
 * names a layer without doubt once the depth of the file is known: so many `../`, then the layer's folder.
 */
export function importPatterns(name: string, layer: Layer, depth: number): readonly ImportPattern[] {
  const toSource = '../'.repeat(depth)
  const up = `^${toSource.replaceAll('.', String.raw`\.`)}`
  const patterns: ImportPattern[] = [
    {
      regex: String.raw`${up}\.\./`,
      message: `${name}/ may not import from outside platform/src.`,
    },
    {
      regex: String.raw`${up}[^./][^/]*/(.*/)?${otherThan('index.ts')}$`,
      message: 'Import a layer through its index.ts, which lists what it offers.',
    },
    {
      regex: String.raw`^plenum(/|$)`,
      message: 'Inside the platform, import by relative path: the package name goes through the built exports.',
    },
  ]
  if (layer.imports !== 'all') {
    patterns.push({
      regex: String.raw`${up}[^./][^/]*$`,
      message: `${name}/ may not import a composition file: imports go down only.`,
    })
  }
  for (const other of Object.keys(layers)) {
    if (other === name || other === 'kernel' || layer.imports === 'all' || layer.imports.includes(other)) continue
    patterns.push({
      regex: String.raw`${up}${other}/`,
      message: `${name}/ may not import ${other}/ (layer table, ARCHITECTURE.md).`,
    })
  }
  // `builtinModules` leaves out the modules that exist only with the prefix.
  if (layer.node !== 'all') {
    const banned = builtinModules.filter((module) => !layer.node?.includes(module))
    patterns.push({
      regex: `^(node:)?(${banned.join('|')}|sqlite|test)(/|$)`,
      message: `${name}/ may not import this module of Node: take a port of platform/src/runtime/.`,
    })
  }
  return patterns
}

/** A pattern for a file name that is not this one; the linter's patterns have no look-ahead. */
function otherThan(name: string): string {
  const escaped = name.split('').map((character) => (character === '.' ? String.raw`\.` : character))
  return `(${escaped.map((character, at) => `${escaped.slice(0, at).join('')}[^${character}/][^/]*`).join('|')})`
}
