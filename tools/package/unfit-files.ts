import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'

/**
 * The packages that the built files import and the package does not declare, each with the first file that does.
 * In the repository such an import works, because the workspaces share their dependencies.
 */
export function undeclaredImports(folder: string): readonly string[] {
  const manifest: { dependencies?: object; peerDependencies?: object } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const declared = new Set([
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
  ])
  const found = new Map<string, string>()
  for (const file of globSync('lib/**/*.{js,d.ts}', { cwd: folder }).toSorted()) {
    for (const specifier of bareImports(readFileSync(join(folder, file), 'utf8'))) {
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
      if (!isBuiltin(specifier) && !declared.has(name) && !found.has(name)) found.set(name, file)
    }
  }
  return [...found].map(([name, file]) => `${file} imports ${name}, which the package does not declare.`)
}

/**
 * The built files that name a source file in a text, as `new URL('./thread.ts', import.meta.url)` does: tsc rewrites
 * the endings of imports only, so the built file would look for a source that is not published. A file that names the
 * built one as well chooses between them.
 */
export function sourcesNamed(folder: string): readonly string[] {
  return globSync('lib/**/*.js', { cwd: folder })
    .toSorted()
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      const named = [...text.matchAll(/['"`](\.{1,2}\/[^'"`\s]*)\.ts['"`]/g)].map((match) => match[1] ?? '')
      return named
        .filter((name) => !text.includes(`${name}.js`))
        .map((name) => `${file} names ${name}.ts, which is not published; choose the ending by import.meta.url.`)
    })
}

/** The specifiers of a module's imports and re-exports, static and dynamic, that are not relative. */
export function bareImports(text: string): readonly string[] {
  const statements = text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s*['"]([^'".][^'"]*)['"]/gm)
  const sideEffects = text.matchAll(/^\s*import\s*['"]([^'".][^'"]*)['"]/gm)
  const calls = text.matchAll(/\bimport\(\s*['"]([^'".][^'"]*)['"]\s*\)/g)
  return [...statements, ...sideEffects, ...calls].map((match) => match[1] ?? '')
}
