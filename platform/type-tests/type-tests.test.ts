import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { manyTypes } from './many-types.ts'
import { readDiagnostics, withoutExpectations, type Diagnostic } from './expectations.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
/** Below node_modules, so that git, the linter and the root's compiler do not see the variants. */
const cache = join(root, 'node_modules/.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'type-tests-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const compilers = [
  ['TypeScript 7', join(root, 'node_modules/typescript/bin/tsc')],
  ['TypeScript 6', join(root, 'node_modules/typescript-6/bin/tsc')],
] as const

const sentences = {
  handler: 'a handler is synchronous and cannot return a promise: do the waiting in a worker or a service',
  storable: 'only plain data can be stored: write a Date as a number of milliseconds; no Map, Set, class or function',
}

const { source: bare, expectations } = withoutExpectations(readFileSync(join(here, 'checks.ts'), 'utf8'))

/** Compiles the files of one folder under the flags of the repository, or others on top. */
function compile(compiler: string, files: readonly string[], flags: readonly string[] = []): string {
  const project = join(mkdtempSync(join(folder, 'project-')), 'tsconfig.json')
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.json'), files, include: [], exclude: [] }))
  const run = spawnSync(process.execPath, [compiler, '-p', project, '--pretty', 'false', ...flags], {
    cwd: root,
    encoding: 'utf8',
  })
  if (run.error !== undefined) throw run.error
  return run.stdout + run.stderr
}

/** The checks without their comments, in a folder of their own beside what they import. */
function stripped(): string {
  const copy = mkdtempSync(join(folder, 'stripped-'))
  for (const name of ['reference.ts', 'doors.ts']) cpSync(join(here, name), join(copy, name))
  writeFileSync(join(copy, 'checks.ts'), bare)
  return join(copy, 'checks.ts')
}

function instantiations(output: string): number {
  const match = /^Instantiations:\s+(\d+)$/m.exec(output)
  if (match === null) throw new Error(`The compiler did not count instantiations:\n${output}`)
  return Number(match[1])
}

describe.for(compilers)('on %s', ([, compiler]) => {
  const sources = [join(here, 'checks.ts'), join(here, 'reference.ts')]
  const file = stripped()
  const found: readonly Diagnostic[] = readDiagnostics(compile(compiler, [file]))
  const at = (reason: string) => {
    const lines = expectations.filter((one) => one.reason.includes(reason)).map(({ line }) => line)
    return found.filter(({ line }) => lines.includes(line))
  }

  test('[SC1] [UN1] the reference and the checks compile', () => {
    expect(compile(compiler, sources)).toBe('')
  })

  test('[UN1] they compile for a bundler too', () => {
    expect(compile(compiler, sources, ['--module', 'esnext', '--moduleResolution', 'bundler'])).toBe('')
  })

  test('[UN1] a unit file can be published: its declarations name shapes through the package, never by a path', () => {
    const out = mkdtempSync(join(folder, 'out-'))
    const flags = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rootDir', root, '--outDir', out]
    expect(compile(compiler, [join(here, 'reference.ts')], flags)).toBe('')
    const declarations = readFileSync(join(out, 'platform/type-tests/reference.d.ts'), 'utf8')
    const modules = [...declarations.matchAll(/(?:from |import\()["']([^"']+)["']/g)].map((match) => match[1])
    expect(modules).toContain('plenum')
    expect(modules.filter((name) => name !== 'plenum' && !name?.startsWith('zod'))).toEqual([])
  })

  test('[SC1] [UN1] what must not compile fails with the code that its comment names, and nothing else fails', () => {
    const relevant = found.filter((one) => join(root, one.file) === file)
    const codesAt = (line: number) => relevant.filter((one) => one.line === line).map(({ code }) => code)
    const wrong = expectations.filter(({ line, codes }) => !codes.some((code) => codesAt(line).includes(code)))
    expect(wrong.map((one) => ({ ...one, found: codesAt(one.line) }))).toEqual([])
    const expected = new Set(expectations.map(({ line }) => line))
    expect(relevant.filter(({ line }) => !expected.has(line))).toEqual([])
    expect(expectations.length).toBeGreaterThanOrEqual(36)
  })

  test('[UN2] an async handler is told so in a sentence, however it is written', () => {
    const told = at('a handler is synchronous')
    expect(told).toHaveLength(3)
    for (const { text } of told) expect(text).toContain(sentences.handler)
  })

  test('[SC1] a schema of what is not plain is told so in a sentence', () => {
    const told = at('only plain data can be stored')
    expect(told).toHaveLength(2)
    for (const { text } of told) expect(text).toContain(sentences.storable)
  })

  test('[UN2a] a route is a field of the input', () => {
    expect(at('no such route').map(({ text }) => text)).toEqual([expect.stringContaining(`"ids"`)])
  })
})

describe('what the types cost', () => {
  const [, compiler] = compilers[0]
  // One thread makes the count the same on every machine.
  const flags = ['--extendedDiagnostics', '--singleThreaded']

  test('[UN1] the reference and the checks stay within 42,000 instantiations, beside those of the platform itself', () => {
    const doors = join(mkdtempSync(join(folder, 'doors-')), 'doors.ts')
    writeFileSync(doors, ['plenum', 'plenum/testing', 'vitest', 'zod'].map((name) => `import '${name}'`).join('\n'))
    const [own, all] = [doors, join(here, 'checks.ts')].map((file) => instantiations(compile(compiler, [file], flags)))
    expect(own).toBeGreaterThan(0)
    expect(all! - own!).toBeLessThan(42_000)
  })

  test('[UN1] a unit of 50 entry types and 200 handlers stays within 1,500,000', () => {
    const file = join(mkdtempSync(join(folder, 'many-')), 'many.ts')
    writeFileSync(file, manyTypes(50, 200))
    const output = compile(compiler, [file], flags)
    expect(readDiagnostics(output).filter((one) => join(root, one.file) === file)).toEqual([])
    expect(instantiations(output)).toBeLessThan(1_500_000)
  })
})
