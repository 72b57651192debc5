import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { mustRun } from '../processes.ts'
import { repositoryRoot } from '../repository.ts'

/** What a consumer's compiler sees: how modules are found, and which world the code lives in. */
export interface CompilerSetting {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
}

/** The two ways in which users of the package compile, both with every declaration checked. */
export const compilerSettings: readonly CompilerSetting[] = [
  { name: 'nodenext', options: { module: 'nodenext', lib: ['es2024', 'esnext.disposable'], types: ['node'] } },
  {
    name: 'bundler',
    options: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2024', 'esnext.disposable'], types: ['node'] },
  },
]

/** The compilers that the package promises to work with. */
export const compilers = ['typescript', 'typescript-6'] as const

/** An empty project of a user in a temporary folder that has installed the packed package; disposing removes it. */
export class Consumer implements Disposable {
  readonly folder: string

  /** Installs the package, or copies what another project has installed: npm takes seconds to do the same again. */
  constructor(from: string | Consumer) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-consumer-')))
    if (from instanceof Consumer) {
      for (const name of ['package.json', 'node_modules'])
        cpSync(join(from.folder, name), join(this.folder, name), { recursive: true, verbatimSymlinks: true })
    } else this.#install(from)
  }

  #install(tarball: string): void {
    this.write('package.json', `${JSON.stringify({ name: 'consumer', private: true, type: 'module' })}\n`)
    // What a user gets from the registry comes from this repository's own dependencies, so no network is needed.
    const local = ['zod', '@types/node', 'undici-types'].map((name) => join(repositoryRoot, 'node_modules', name))
    const flags = ['--install-links', '--offline', '--no-audit', '--no-fund', '--ignore-scripts']
    mustRun('npm', ['install', ...flags, tarball, ...local, ...dependenciesOf('platform')], this.folder)
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text)
  }

  /** Runs a file as a user does. Throws an Error with its output if it fails. Returns what it printed. */
  run(file: string): string {
    return mustRun(process.execPath, [file], this.folder).stdout
  }

  /** Compiles files without output. Throws an Error with the compiler's findings. */
  compile(files: readonly string[], { name, options }: CompilerSetting, compiler: (typeof compilers)[number]): void {
    const config = {
      compilerOptions: {
        target: 'es2024',
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        erasableSyntaxOnly: true,
        verbatimModuleSyntax: true,
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: false,
        ...options,
      },
      files,
    }
    const project = `tsconfig.${name}.json`
    this.write(project, JSON.stringify(config))
    const tsc = join(repositoryRoot, 'node_modules', compiler, 'bin/tsc')
    mustRun(process.execPath, [tsc, '-p', project], this.folder)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The folders of a package's own dependencies in this repository, theirs included. */
function dependenciesOf(folder: string, seen = new Set<string>()): readonly string[] {
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(repositoryRoot, folder, 'package.json'), 'utf8'),
  )
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const path = join('node_modules', name)
    if (!seen.has(path)) dependenciesOf(path, seen.add(path))
  }
  return [...seen].map((path) => join(repositoryRoot, path))
}

/** A new empty folder for a tarball; disposing removes it. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-pack-')))
  mkdirSync(path, { recursive: true })
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
