import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { Watchdog, type SlowPart } from './watchdog.ts'

test('[PA9] a function that does not return is ended from outside its thread, and named', () => {
  const program = `
    import { Watchdog } from ${JSON.stringify(new URL('./watchdog.ts', import.meta.url).href)}
    const parts = ['handler quick', 'handler slow']
    const watchdog = new Watchdog({ parts, limitMs: 100, slowMs: 10, onSlow: () => {} })
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

test('[UN5] a stretch over the limit is told once it is over, and named; the process goes on', async () => {
  const told: SlowPart[] = []
  const parts = ['handler quick', 'handler slow']
  const watchdog = new Watchdog({ parts, limitMs: 60_000, slowMs: 20, onSlow: (slow) => void told.push(slow) })
  await expect
    .poll(
      () => {
        watchdog.enter('handler slow')
        const end = performance.now() + 100
        while (performance.now() < end);
        watchdog.leave()
        return told.length
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(0)
  expect(told.every(({ part, ms }) => part === 'handler slow' && ms >= 20)).toBe(true)
  await watchdog.close()
})
