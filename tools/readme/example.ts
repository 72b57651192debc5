/** The example of README.md and what it prints. */
export interface Example {
  readonly source: string
  /** The ```text block that follows the example, if there is one: exactly what running it must print. */
  readonly prints: string | undefined
}

/** The first ```ts block of a document. Throws an Error if there is none. */
export function firstExample(markdown: string): Example {
  const block = /^```ts[^\n]*\n([\s\S]*?)^```\s*$/m.exec(markdown)
  if (block === null) throw new Error('README.md has no example: no block of code that begins with ```ts.')
  const rest = markdown.slice(block.index + block[0].length)
  // Only a block with no other code before it tells what this example prints.
  const next = /^```(\w*)[^\n]*\n([\s\S]*?)^```\s*$/m.exec(rest)
  return { source: block[1] ?? '', prints: next?.[1] === 'text' ? next[2] : undefined }
}
