/** What each layer may import besides `kernel/`, in the order of the alphabet. */
export type LayerImports = Readonly<Record<string, readonly string[] | 'all'>>

/**
 * Reads the layer table of ARCHITECTURE.md: the rows whose first cell is a folder in code marks (`space/`) of the
 * table that has the columns `folder` and `may import`. The last cell lists layers, or says "all". Throws an Error
 * if the text has no such table, or a row that cannot be read.
 */
export function readLayerTable(markdown: string): LayerImports {
  const lines = markdown.split('\n')
  const head = lines.findIndex((line) => /^\|\s*folder\b.*\|\s*may import\s*\|/.test(line))
  if (head === -1) throw new Error('No table with the columns "folder" and "may import" was found.')
  const table: Record<string, readonly string[] | 'all'> = {}
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break
    const cells = line.split('|').map((cell) => cell.trim())
    const folder = /^`([a-z-]+)\/`$/.exec(cells[1] ?? '')?.[1]
    if (folder === undefined) throw new Error(`A row of the layer table does not begin with a folder: ${line}`)
    table[folder] = readImports(cells.at(-2) ?? '')
  }
  return table
}

function readImports(cell: string): readonly string[] | 'all' {
  if (cell === 'all') return 'all'
  const parts = cell.split(',').map((part) => part.trim())
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const folder = /^`([a-z-]+)\/`$/.exec(part)?.[1]
      if (folder === undefined) throw new Error(`The layer table has a cell that is not a list of folders: ${cell}`)
      return folder
    })
    .toSorted()
}
