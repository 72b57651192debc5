/** What a reader of a guide does, in order. */
export type GuideStep =
  | { readonly kind: 'write'; readonly file: string; readonly text: string }
  | {
      readonly kind: 'run'
      readonly command: string
      /** The reader ends it with Ctrl-C, when everything that the guide shows has been printed. */
      readonly interrupted: boolean
      /** Lines that the guide shows; `…` in one of them stands for anything. */
      readonly prints: readonly string[]
    }

const block = /^```([^\n]*)\n([\s\S]*?)^```\s*$/gm

/**
 * Reads the steps of a guide from its blocks of code: "```ts unit.ts" is a file to write, each line of "```sh" a
 * command to run, and a "```text" right after commands what the last of them prints. A command whose comment
 * mentions Ctrl-C runs until it is interrupted. Blocks of other kinds are to be read only.
 */
export function readGuide(markdown: string): readonly GuideStep[] {
  const steps: GuideStep[] = []
  for (const [, info = '', text = ''] of markdown.matchAll(block)) {
    const [language, file] = info.trim().split(/\s+/)
    if (file !== undefined) steps.push({ kind: 'write', file, text })
    else if (language === 'sh') steps.push(...commandsOf(text))
    else if (language === 'text') {
      const last = steps.pop()
      if (last?.kind === 'run') steps.push({ ...last, prints: text.split('\n').filter((line) => line.trim() !== '') })
      else if (last !== undefined) steps.push(last)
    }
  }
  return steps
}

function commandsOf(text: string): readonly GuideStep[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [command = '', comment = ''] = line.split(/\s+#\s/)
    return { kind: 'run', command, interrupted: comment.includes('Ctrl-C'), prints: [] }
  })
}

/** The lines of `expected` that the output does not have, in which `…` stands for anything. */
export function missingLines(output: string, expected: readonly string[]): readonly string[] {
  const lines = output.split('\n').map((line) => line.trimEnd())
  return expected.filter((line) => {
    const parts = line.trimEnd().split('…')
    const pattern = new RegExp(
      `^${parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('.*')}$`,
    )
    return !lines.some((each) => pattern.test(each))
  })
}
