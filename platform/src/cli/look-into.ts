import { isPlenumError } from '../kernel/index.ts'
import { inspectFolder, type InspectedFolder } from '../journal/file/index.ts'
import { LookingDisk, nodeRuntime } from '../runtime/node/index.ts'

/** How often a look begins anew because the application has removed what it was about to read. */
const looksMax = 5

/**
 * Looks into a folder, whether its application runs or not. A running one trims its journal and removes old snapshots:
 * where that comes between, `run` is called once more on the folder as it is then.
 */
export async function lookInto<T>(path: string, run: (folder: InspectedFolder) => Promise<T>): Promise<T> {
  const { clock } = nodeRuntime()
  for (let look = 1; ; look += 1) {
    try {
      const folder = await inspectFolder({ disk: new LookingDisk(), path, clock, whileItRuns: true })
      try {
        return await run(folder)
      } finally {
        await folder.close()
      }
    } catch (error) {
      if (look === looksMax || !isGone(error)) throw error
    }
  }
}

/** True for the error of something that was removed while it was looked for. */
export function isGone(error: unknown): boolean {
  if (isPlenumError(error, 'HISTORY_NOT_KEPT')) return error.details['reason'] === 'meanwhile'
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
