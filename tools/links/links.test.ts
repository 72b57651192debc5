import { expect, test } from 'vitest'

import { brokenLinks } from './broken-links.ts'
import { anchorsOf, linksOf } from './markdown.ts'

test('links are found outside code only', () => {
  const markdown = ['[a](a.md) ![b](b.png "title")', '```', '[c](c.md)', '```', '`[d](d.md)` [e](<e.md>)', '[f]: f.md']
  expect(linksOf(markdown.join('\n'))).toEqual([
    { target: 'a.md', line: 1 },
    { target: 'b.png', line: 1 },
    { target: 'e.md', line: 5 },
    { target: 'f.md', line: 6 },
  ])
})

test('anchors are made as GitHub makes them', () => {
  const markdown = ['# The path of one *write*', '## `space/` and friends', '## Same', '## Same', '<a id="own"></a>']
  expect([...anchorsOf(markdown.join('\n'))]).toEqual([
    'the-path-of-one-write',
    'space-and-friends',
    'same',
    'same-1',
    'own',
  ])
})

test('a missing file, a missing heading and a link from a root are told; the rest is not', () => {
  const documents = new Map([
    ['README.md', '[x](docs/a.md#here) [y](docs/) [z](docs/gone.md) [w](/etc/passwd) [v](https://example.org/none)'],
    ['docs/a.md', '# Here\n[up](../README.md) [self](#here) [none](#there) [code](../src/a.ts#L3)'],
  ])
  expect(brokenLinks({ documents, files: new Set([...documents.keys(), 'src/a.ts']) })).toEqual([
    'README.md:1: docs/gone.md leads to no file.',
    'README.md:1: /etc/passwd begins at a root; write it relative.',
    'docs/a.md:2: docs/a.md has no heading #there.',
  ])
})
