import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { repositoryRoot } from './repository.ts'

/**
 * The files of the repository that exist: those that git tracks, and new ones that it does not ignore. Paths from
 * the root with forward slashes, sorted.
 */
export function repositoryFiles(): readonly string[] {
  const output = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const paths = output.split('\0').filter((path) => path !== '' && existsSync(join(repositoryRoot, path)))
  return [...new Set(paths)].toSorted()
}
