import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** A path that SPEC.md names, from `folder`: SPEC.md lies in platform/, and names are from there or from platform/src. */
export function locate(path: string, folder: string): string | undefined {
  return ['platform/src/', 'platform/', ''].map((base) => base + path).find((each) => existsSync(join(folder, each)))
}
