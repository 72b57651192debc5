/** A file of the repository. */
export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** A rule of STYLE.md that needs no parser. */
interface StyleRule {
  /** Which files it speaks of. */
  readonly files: RegExp
  /** What no line of them may match. */
  readonly line: RegExp
  readonly why: string
}

const code = /\.(ts|mts|mjs)$/
const platformCode = /^platform\/src\/(?!.*(\.test\.ts$|\/contract\/|-contract\.ts$)).*\.ts$/
/** An annotation, an assertion or a result of type any: as an argument of a type it is another matter. */
const anyValue = /^(?!\s*(?:\/\/|\*|\/\*)).*(?:(?::|\bas|=>)\s*any\b(?![\w.' ])|\bany\[\])/

const everything = /(?:)/

/** Written in parts, so that this file does not match its own rules. */
const either = (...words: readonly string[]): string => words.join('|')

const rules: readonly StyleRule[] = [
  { files: code, line: /^export \* from/, why: 'list what is exported by name' },
  { files: platformCode, line: /^(export )?let /, why: 'state lives in an object that somebody constructs' },
  { files: platformCode, line: anyValue, why: 'narrow it with a checked function' },
  { files: code, line: /^(export )?(const |declare )?enum /, why: 'use a const object and a union' },
  {
    files: code,
    line: new RegExp(either('@ts-' + 'ignore', '@ts-' + 'nocheck')),
    why: 'use @ts-expect-error with a reason',
  },
  {
    files: /\.test\.ts$/,
    line: /^\s*(test|it|describe)\.only\(/,
    why: 'a test that runs alone keeps the others from running',
  },
  {
    files: code,
    line: /\b(class|interface|type) (\w+(Impl|Manager|Helper|Utils?)|I[A-Z][a-z]\w*)\b/,
    why: 'name it for what it is',
  },
  {
    files: everything,
    line: new RegExp(`\\b(${either('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X')})\\b`),
    why: 'finish it, or file it as an issue',
  },
  {
    files: everything,
    line: new RegExp(`(^|[\\s'"\`(=])/(${either('home', 'root', 'Users', 'wo' + 'rk')})/\\w`),
    why: 'a path of one machine means nothing on another',
  },
  {
    files: everything,
    line: new RegExp(either('registry\\.' + 'npmjs', '"resolved": "htt' + 'p', 'yarn' + 'pkg')),
    why: 'the registry is chosen by the machine that installs',
  },
]

const linesMax = 500
const bannedNames = /(^|\/)(utils?|common|core|misc|helpers?|lib)(\/|\.ts$)/
const kebabPath = /^[a-z0-9.-]+(\/[a-z0-9.-]+)*$/

/** What the files do against STYLE.md, one sentence each with its place. */
export function slips(files: readonly SourceFile[]): readonly string[] {
  const found: string[] = []
  for (const { path, text } of files) {
    const lines = text.split('\n')
    if (code.test(path)) {
      if (bannedNames.test(path)) found.push(`${path}: this name says nothing; name the idea.`)
      if (!kebabPath.test(path)) found.push(`${path}: file names are kebab-case.`)
      if (lines.length > linesMax) found.push(`${path}: ${lines.length} lines; split it before ${linesMax}.`)
    }
    const applying = rules.filter((rule) => rule.files.test(path))
    for (const [index, line] of lines.entries()) {
      for (const rule of applying) if (rule.line.test(line)) found.push(`${path}:${index + 1}: ${rule.why}.`)
    }
  }
  return found
}

/** The median and the 90th percentile of the lengths of source files, in lines, tests left out. */
export function lengthsOf(files: readonly SourceFile[]): {
  readonly files: number
  readonly median: number
  readonly p90: number
} {
  const lengths = files
    .filter(({ path }) => code.test(path) && !path.endsWith('.test.ts'))
    .map(({ text }) => text.split('\n').length)
    .toSorted((left, right) => left - right)
  const at = (share: number): number => lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))] ?? 0
  return { files: lengths.length, median: at(0.5), p90: at(0.9) }
}
