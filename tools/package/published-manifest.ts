/** A package.json, as far as publishing is concerned. */
export type Manifest = Readonly<Record<string, unknown>>

/**
 * The manifest of the published package. In the repository the exports lead to the sources, `./src/x.ts`, and the
 * package is private, so that nobody publishes the sources by mistake; published, the same exports lead to what tsc
 * made of them, `./lib/x.js` and `./lib/x.d.ts`. Throws an Error for an export that does not lead to a source.
 */
export function publishedManifest(manifest: Manifest): Manifest {
  const { private: _private, scripts: _scripts, devDependencies: _development, ...kept } = manifest
  const exports = { ...mapStrings(manifest['exports'], exportOf), './package.json': './package.json' }
  const bin = manifest['bin'] === undefined ? {} : { bin: mapStrings(manifest['bin'], builtFile) }
  return { ...kept, exports, ...bin, sideEffects: false }
}

function exportOf(source: string): { readonly types: string; readonly default: string } {
  const built = builtFile(source)
  return { types: built.replace(/\.js$/, '.d.ts'), default: built }
}

function builtFile(source: string): string {
  const path = /^\.\/src\/(.+)\.ts$/.exec(source)?.[1]
  if (path === undefined) throw new Error(`platform/package.json: ${source} does not lead to a file of ./src.`)
  return `./lib/${path}.js`
}

function mapStrings<Built>(value: unknown, build: (source: string) => Built): Readonly<Record<string, Built>> {
  if (typeof value !== 'object' || value === null) throw new Error('platform/package.json: a map of names to files.')
  return Object.fromEntries(
    Object.entries(value).map(([name, source]) => {
      if (typeof source !== 'string') throw new Error(`platform/package.json: ${name} must name one source file.`)
      return [name, build(source)]
    }),
  )
}
