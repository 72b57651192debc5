import { expect, test } from 'vitest'
import { progressOn } from './progress.ts'

const written = (terminal: { readonly isTTY: boolean; readonly columns: number }): string => {
  const texts: string[] = []
  const progress = progressOn({ ...terminal, write: (text) => texts.push(text) })
  progress.tell('a step with many words')
  progress.tell('b')
  progress.clear()
  return texts.join('')
}

test('a terminal shows one line that changes, cut to its width, and that is taken away in the end', () => {
  expect(written({ isTTY: true, columns: 15 })).toBe('\r\u001B[Krisk: a step w\r\u001B[Krisk: b\r\u001B[K')
})

test('elsewhere each step is a line', () => {
  expect(written({ isTTY: false, columns: 15 })).toBe('risk: a step with many words\nrisk: b\n')
})
