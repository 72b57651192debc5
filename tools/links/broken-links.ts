import { posix } from 'node:path'

import { anchorsOf, linksOf } from './markdown.ts'

/** The documents and files that links can lead to. */
export interface Shelf {
  /** The documents of the repository, by path from its root. */
  readonly documents: ReadonlyMap<string, string>
  /** Every file of the repository, the documents among them. */
  readonly files: ReadonlySet<string>
}

/**
 * The relative links that lead nowhere, one sentence each: to a file or folder that git does not have, or to an
 * anchor that the document there does not have. Links to other hosts are not followed.
 */
export function brokenLinks({ documents, files }: Shelf): readonly string[] {
  const folders = new Set<string>(['.'])
  for (const file of files) {
    for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder)) folders.add(folder)
  }
  const broken: string[] = []
  for (const [path, markdown] of documents) {
    for (const { target, line } of linksOf(markdown)) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const goal =
        file === '' ? path : posix.normalize(posix.join(posix.dirname(path), decodeURI(file))).replace(/\/$/, '')
      if (file.startsWith('/')) broken.push(`${path}:${line}: ${target} begins at a root; write it relative.`)
      else if (!files.has(goal) && !folders.has(goal)) broken.push(`${path}:${line}: ${target} leads to no file.`)
      else if (anchor !== undefined && documents.has(goal)) {
        if (!anchorsOf(documents.get(goal) ?? '').has(anchor)) {
          broken.push(`${path}:${line}: ${goal} has no heading #${anchor}.`)
        }
      }
    }
  }
  return broken
}
