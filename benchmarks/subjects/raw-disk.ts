// An anchor: what the disk itself does when somebody writes so many bytes and waits until they are safe.
import { fdatasyncSync, openSync, closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Reading } from '../harness/closed-loop.ts'
import { latencyOf } from '../harness/latency.ts'
import type { Subject } from '../harness/remote.ts'

export interface RawDiskOptions {
  readonly folder: string
}

/** Bytes of the file: written once before, so that the measured syncs change no size. */
const fileBytes = 64 << 20

export class RawDisk implements Subject {
  readonly #file: number

  constructor(file: number) {
    this.#file = file
  }

  /** Writes and syncs pieces of so many bytes one after the other, on the thread that asks, which is the fastest way. */
  async writeAndSync(bytes: number, seconds: number): Promise<Reading> {
    const piece = Buffer.alloc(bytes, 0xa5)
    const samples: number[] = []
    const began = performance.now()
    let now = began
    for (let at = 0; now < began + seconds * 1_000; at += bytes) {
      if (at + bytes > fileBytes) at = 0
      const asked = now
      writeSync(this.#file, piece, 0, bytes, at)
      fdatasyncSync(this.#file)
      now = performance.now()
      samples.push(now - asked)
    }
    return {
      operations: samples.length,
      seconds: (now - began) / 1_000,
      latency: latencyOf(Float64Array.from(samples)),
    }
  }

  async close(): Promise<void> {
    closeSync(this.#file)
  }
}

/** Makes the file and fills it. */
export async function openRawDisk({ folder }: RawDiskOptions): Promise<RawDisk> {
  const file = openSync(join(folder, 'raw'), 'w+')
  const zeros = Buffer.alloc(1 << 20)
  for (let at = 0; at < fileBytes; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at)
  fdatasyncSync(file)
  return new RawDisk(file)
}
