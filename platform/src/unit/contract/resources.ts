import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

/** What the tests of a file have open, and their folders: closed, then removed, after each of them. */
export function resources(): { readonly open: AsyncDisposable[]; newFolder(): string } {
  const open: AsyncDisposable[] = []
  const folders: string[] = []
  afterEach(async () => {
    for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })
  return {
    open,
    newFolder() {
      const folder = mkdtempSync(join(tmpdir(), 'plenum-'))
      folders.push(folder)
      return folder
    },
  }
}
