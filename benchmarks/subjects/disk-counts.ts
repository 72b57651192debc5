import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** Calls to the system that a stretch of work made. */
export interface DiskCounts {
  readonly bytes: number
  readonly writes: number
  readonly syncs: number
}

/**
 * Counts what this process writes and syncs through `node:fs` until it is stopped. Modules that imported the functions
 * by name see the counting ones too.
 */
export function countDisk(): { readonly stop: () => DiskCounts } {
  const { write, writeSync, writev, writevSync, fdatasync, fdatasyncSync } = fs
  const counts = { bytes: 0, writes: 0, syncs: 0 }
  const countSync = <T extends (...given: never[]) => unknown>(original: T): T =>
    new Proxy(original, {
      apply: (run, self, given) => {
        counts.syncs += 1
        return Reflect.apply(run, self, given)
      },
    })
  const countWrite = <T extends (...given: never[]) => unknown>(original: T): T =>
    new Proxy(original, {
      apply: (run, self, given: readonly unknown[]) => {
        counts.writes += 1
        counts.bytes += lengthOf(given[1])
        return Reflect.apply(run, self, [...given])
      },
    })
  Object.assign(fs, {
    write: countWrite(write),
    writeSync: countWrite(writeSync),
    writev: countWrite(writev),
    writevSync: countWrite(writevSync),
    fdatasync: countSync(fdatasync),
    fdatasyncSync: countSync(fdatasyncSync),
  })
  syncBuiltinESMExports()
  return {
    stop: () => {
      Object.assign(fs, { write, writeSync, writev, writevSync, fdatasync, fdatasyncSync })
      syncBuiltinESMExports()
      return { ...counts }
    },
  }
}

function lengthOf(given: unknown): number {
  if (given instanceof Uint8Array) return given.length
  if (!Array.isArray(given)) return 0
  return given.reduce((sum: number, one) => sum + (one instanceof Uint8Array ? one.length : 0), 0)
}
