/** A column of a text table: its heading, and whether its cells line up left or right. */
export interface Column {
  readonly heading: string
  readonly align: 'left' | 'right'
}

/** Lays out rows under headings with two spaces between columns; a heading may have several lines, parted by `\n`. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const headings = columns.map(({ heading }) => heading.split('\n'))
  const height = Math.max(1, ...headings.map((lines) => lines.length))
  // Headings end on the same line, so that the last word stands next to its figures.
  const head = Array.from({ length: height }, (_, line) =>
    headings.map((lines) => lines[line - height + lines.length] ?? ''),
  )
  const widths = columns.map((_, index) => Math.max(...[...head, ...rows].map((cells) => (cells[index] ?? '').length)))
  const lay = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? ''
        return align === 'left' ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)
      })
      .join('  ')
      .trimEnd()
  return [...head.map(lay), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(lay)]
}

/** A number with thousands separators and a fixed number of decimals, such as `-1,234.50`; the same on every machine. */
export function figure(value: number, decimals: number): string {
  const [whole = '', fraction] = Math.abs(value).toFixed(decimals).split('.')
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  const digits = fraction === undefined ? grouped : `${grouped}.${fraction}`
  return value < 0 && /[1-9]/.test(digits) ? `-${digits}` : digits
}
