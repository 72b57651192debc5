import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

test('[PA9] a function that does not return is ended from outside its thread, and named', () => {
  const program = `
    import { Watchdog } from ${JSON.stringify(new URL('./watchdog.ts', import.meta.url).href)}
    const watchdog = new Watchdog(100, ['handler quick', 'handler slow'])
    watchdog.enter('handler quick')
    watchdog.leave()
    console.log('returned')
    setTimeout(() => { watchdog.enter('handler slow'); for (;;); }, 300)
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect(child.stdout).toBe('returned\n')
  expect(child.stderr).toContain('HANDLER_STUCK: the handler slow did not return within 100 ms')
  expect(child.signal).toBe('SIGKILL')
})
