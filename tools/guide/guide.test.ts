import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { followGuide } from './follow-guide.ts'
import { missingLines, readGuide } from './read-guide.ts'

const fence = '```'
const guide = (...blocks: readonly string[]): string => blocks.map((block) => `${fence}${block}\n${fence}\n`).join('\n')

async function follow(markdown: string): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plenum-guide-')))
  try {
    await followGuide(readGuide(markdown), folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('files are written, commands run in order, and what they print is what the guide shows', async () => {
  const source = 'const name: string = "world"\nconsole.log(`hello ${name}`, process.pid)'
  await follow(
    guide('sh\nnpm install plenum', `ts src/hello.ts\n${source}`, 'sh\nnode src/hello.ts', 'text\nhello world …'),
  )
})

test('a command that fails, and one that prints something else, end the guide', async () => {
  await expect(follow(guide('sh\nexit 3'))).rejects.toThrow('ended with 3')
  await expect(follow(guide('sh\necho one', 'text\ntwo'))).rejects.toThrow('does not print what the guide shows:\ntwo')
})

test('a command that runs until Ctrl-C is interrupted when it has printed what the guide shows', async () => {
  const server = "process.on('SIGINT', () => process.exit(0))\nsetInterval(() => console.log('tick'), 20)"
  await follow(guide(`ts serve.ts\n${server}`, 'sh\nnode serve.ts   # stop it with Ctrl-C', 'text\ntick'))
})

test('three dots in the middle of a line stand for anything, the rest is exact', () => {
  expect(missingLines('a (1 s) b\nc', ['a (…) b', 'c'])).toEqual([])
  expect(missingLines('a b', ['a', 'a…c'])).toEqual(['a', 'a…c'])
})
