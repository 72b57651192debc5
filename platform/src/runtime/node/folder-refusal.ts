import { PlenumError } from '../../kernel/index.ts'

/** What the system says of a path that cannot be a folder with files in it, and what that means for a reader. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'it, or something on the way to it, is a file'],
  ['EEXIST', 'it is not a folder'],
  ['ENOENT', 'the file system does not let folders be made there'],
  ['EACCES', 'this user may not read and write there'],
  ['EPERM', 'this user may not read and write there'],
  ['EROFS', 'the file system is read-only'],
  ['ELOOP', 'its links go in a circle'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['ERR_INVALID_ARG_VALUE', 'its name cannot be one of a folder'],
])

/** FOLDER_REFUSED if the system's error says that `folder` cannot hold a journal; any other error as it is. */
export function folderError(folder: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = reasons.get(code)
  return reason === undefined ? error : folderRefused(folder, reason, error)
}

/** The error for a folder that cannot be used; `reason` ends the sentence. */
export function folderRefused(folder: string, reason: string, cause?: unknown): PlenumError {
  return new PlenumError(
    'FOLDER_REFUSED',
    `'${folder}' cannot be the folder of a journal: ${reason}. Name a folder on a local disk that this user may write.`,
    { details: { folder, reason }, cause },
  )
}
