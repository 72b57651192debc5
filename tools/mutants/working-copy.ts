import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

import { repositoryFiles } from '../files.ts'
import { repositoryRoot } from '../repository.ts'

/** A copy of the repository in a temporary folder, with the same dependencies; disposing removes it. */
export interface WorkingCopy extends Disposable {
  readonly folder: string
}

/**
 * Copies the files of the repository as they are now. The dependencies are linked, not copied; the links of the
 * workspaces (`plenum`) lead into the copy, so that nothing in it runs code of the original.
 */
export function workingCopy(): WorkingCopy {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-mutants-')))
  const files = repositoryFiles()
  for (const path of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(repositoryRoot, path), join(folder, path))
  }
  const workspaces = files.filter((path) => path.endsWith('/package.json')).map((path) => dirname(path))
  for (const workspace of ['', ...workspaces]) linkDependencies(join(workspace, 'node_modules'), folder)
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

function linkDependencies(path: string, folder: string): void {
  const source = join(repositoryRoot, path)
  if (!existsSync(source)) return
  mkdirSync(join(folder, path), { recursive: true })
  for (const name of readdirSync(source)) {
    // Caches of tools are written, so they must not be shared.
    if (name.startsWith('.') && name !== '.bin') continue
    const entry = join(source, name)
    const target = realpathSync(entry)
    const isWorkspace = lstatSync(entry).isSymbolicLink() && !target.includes('node_modules')
    symlinkSync(isWorkspace ? join(folder, relative(repositoryRoot, target)) : entry, join(folder, path, name))
  }
}
