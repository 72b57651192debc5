/** A link of a document and the line on which it stands, counted from 1. */
export interface Link {
  readonly target: string
  readonly line: number
}

/** The lines of a document with fenced code emptied, so that line numbers stay. */
function proseLines(markdown: string): readonly string[] {
  let fence: string | undefined
  return markdown.split('\n').map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence === undefined && mark === undefined) return line
    if (fence === undefined) fence = mark
    else if (mark !== undefined && mark.startsWith(fence)) fence = undefined
    return ''
  })
}

/** Every inline link, image and reference definition outside code. */
export function linksOf(markdown: string): readonly Link[] {
  const links: Link[] = []
  for (const [index, text] of proseLines(markdown).entries()) {
    const prose = text.replaceAll(/(`+)(?:(?!\1).)+\1/g, (mark) => ' '.repeat(mark.length))
    const inline = prose.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g)
    const definitions = prose.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)>?/g)
    for (const match of [...inline, ...definitions]) links.push({ target: match[1] ?? '', line: index + 1 })
  }
  return links
}

/** The anchors of a document: its headings as GitHub makes them, and the ids that it writes itself. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  const counts = new Map<string, number>()
  for (const line of proseLines(markdown)) {
    for (const id of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id[1] ?? '')
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1]
    if (heading === undefined) continue
    const slug = slugOf(heading)
    const count = counts.get(slug) ?? 0
    counts.set(slug, count + 1)
    anchors.add(count === 0 ? slug : `${slug}-${count}`)
  }
  return anchors
}

function slugOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replaceAll(' ', '-')
}
