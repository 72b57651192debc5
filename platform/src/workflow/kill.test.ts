import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const orders = 30

/** Runs the child; kills it so many milliseconds after it has opened its folder. What it said. */
async function run(folder: string, killAfterMs: number | undefined): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'contract/kill-child.ts'), folder, String(orders)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  const ended = once(child, 'close')
  child.stdout.on('data', (part) => {
    if (said === '' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    said += String(part)
  })
  await ended
  return said
}

test('[WF8] a process that is killed again and again does each step once, and under its key what it does outside', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'workflow-kill-'))
  for (const ms of [0, 5, 15, 30, 60]) await run(folder, ms)
  const [, summary = ''] = (await run(folder, undefined)).trim().split('\n')
  expect(JSON.parse(summary)).toEqual({ kept: 20, left: 980 })
  const lines = readFileSync(join(folder, 'outside.txt'), 'utf8').trim().split('\n')
  const expected = Array.from({ length: orders }, (_, n) => {
    const key = `shop/fulfil/o${n}`
    return [`${key}/0/pay ${n}`, `${key}/3/ship ${n}`, ...(n % 3 === 0 ? [`${key}/0/pay/undo ${n}`] : [])]
  })
  expect([...new Set(lines)].toSorted()).toEqual(expected.flat().toSorted())
  rmSync(folder, { recursive: true })
})
