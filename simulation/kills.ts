import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Where the file engine's tests with real processes are, from the repository's root. */
const killTests = 'platform/src/journal/file/kill.test.ts'

/** Kills a real process over the file engine so often, by its own tests; 1 if one of them failed, else 0. */
export function killCampaign(kills: number): Promise<number> {
  const root = join(import.meta.dirname, '..')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', killTests], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PLENUM_KILLS: String(kills) },
    })
    child.on('error', reject)
    child.on('close', (code) => {
      console.log(`${kills} kills of a real process over the file engine: ${code === 0 ? 'passed' : 'FAILED'}`)
      resolve(code === 0 ? 0 : 1)
    })
  })
}
