import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** Calls to the system that a stretch of work made. */
export interface DiskCounts {
  /** Bytes of records, with what stands around them. */
  readonly bytes: number
  /** Bytes of zeros with which files are filled before they are used. */
  readonly fillBytes: number
  readonly writes: number
  readonly syncs: number
}

/**
 * Counts what this process writes and syncs through `node:fs` until it is stopped. Modules that imported the functions
 * by name see the counting ones too.
 */
export function countDisk(): { readonly stop: () => DiskCounts } {
  const { write, writeSync, writev, writevSync, fdatasync, fdatasyncSync } = fs
  const counts = { bytes: 0, fillBytes: 0, writes: 0, syncs: 0 }
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
        const buffers = buffersOf(given[1])
        const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
        if (buffers.every(isEmpty)) counts.fillBytes += length
        else counts.bytes += length
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

function buffersOf(given: unknown): readonly Uint8Array[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  return list.filter((one) => one instanceof Uint8Array)
}

/** Records begin with bytes that are not zero. */
function isEmpty(buffer: Uint8Array): boolean {
  return buffer.subarray(0, 64).every((byte) => byte === 0)
}
