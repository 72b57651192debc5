import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The seed that whoever started this process wants to have replayed. */
export function askedSeed(): string | undefined {
  return process.env['PLENUM_SEED']
}

/**
 * Finds who calls, and with which runner; the returned function gives the command that runs that file again on a seed. To
 * be called before anything is waited for, while the caller stands on the stack.
 */
export function replayCommand(): (seed: number) => string {
  const file = callingFile(new Error('where').stack ?? '')
  return (seed) => `PLENUM_SEED=${seed} ${runner()}${file === undefined ? '' : ` ${quoted(file)}`}`
}

function runner(): string {
  if (process.env['VITEST'] !== undefined) return 'npx vitest run'
  return process.env['NODE_TEST_CONTEXT'] === undefined ? 'node' : 'node --test'
}

/** The test on a stack, or the first file that is not a part of this package, as it is called from here. */
function callingFile(stack: string): string | undefined {
  const own = packageFolder()
  const paths = [...stack.matchAll(/((?:file:\/\/)?\/[^()\n]+?):\d+:\d+\)?$/gm)]
    .map(([, place]) => (place!.startsWith('file:') ? fileURLToPath(place!) : place!))
    .filter((path) => !path.includes('/node_modules/'))
  const isTest = (path: string): boolean => /\.(?:test|spec)\.\w+$/.test(path)
  const file = paths.find(isTest) ?? paths.find((path) => !path.startsWith(own))
  return file === undefined ? undefined : relative(process.cwd(), file)
}

/** The folder of the platform's sources, or of the published package's. */
function packageFolder(): string {
  return fileURLToPath(new URL('../../', import.meta.url))
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
