import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { PlenumError } from '../../kernel/index.ts'
import type { FolderLock } from '../ports.ts'
import { folderError, folderRefused } from './folder-refusal.ts'

/** SQLite's result codes that matter here. */
const busy = 5
const ioError = 10
const cannotOpen = 14

/**
 * Holds a folder by an open exclusive transaction of SQLite on `<folder>/lock` (FE4). The kernel releases it with the
 * process, however that ends; a process id in a file would prove nothing, because two containers both have id 1.
 * FOLDER_IN_USE if another process, container or thread holds it, or this one does; FOLDER_REFUSED where the file
 * system has no locks, or the lock file cannot be made; the system's error where the disk is full.
 */
export function lockFolder(folder: string): FolderLock {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(`${folder}/lock`, { timeout: 0 })
    // The journal stays in memory so that the lock needs no second file.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database?.close()
    throw refusal(folder, cause)
  }
  const held = database
  return {
    release() {
      if (held.isOpen) held.close()
    },
  }
}

function refusal(folder: string, cause: unknown): unknown {
  const code = resultCode(cause)
  if (code === busy) {
    return new PlenumError(
      'FOLDER_IN_USE',
      `The folder ${folder} is held by another running application, here or in another container. ` +
        'Stop that one first, or use another folder.',
      { details: { folder }, cause },
    )
  }
  if (code === ioError) {
    return new PlenumError(
      'FOLDER_REFUSED',
      `The file system of ${folder} does not keep locks, so two processes could write one journal. Use a local disk.`,
      { details: { folder }, cause },
    )
  }
  const system = code === cannotOpen ? systemError(`${folder}/lock`) : undefined
  if (system !== undefined) return folderError(folder, system)
  return folderRefused(folder, `its lock file cannot be made (${String(cause)})`, cause)
}

/**
 * What the system says about a file that SQLite could not open. Nobody here holds it: to close a file that somebody
 * holds would give up the lock.
 */
function systemError(path: string): unknown {
  try {
    closeSync(openSync(path, 'a'))
    return undefined
  } catch (error) {
    return error
  }
}

/** SQLite's primary result code of an error of `node:sqlite`. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
