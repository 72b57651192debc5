/** Text that is drawn again and again at the end of a terminal, below lines that stay. */
export class LiveText {
  readonly #write: (text: string) => void
  readonly #columns: () => number
  #lines = 0

  /** `columns`: how wide the terminal is now; what is longer is cut, since a line that wraps would be two. */
  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write
    this.#columns = columns
  }

  /** Draws the text in the place of the one before. */
  draw(text: string): void {
    const columns = this.#columns()
    const lines = text.split('\n').map((line) => (line.length < columns ? line : line.slice(0, columns - 1)))
    this.clear()
    this.#write(lines.join('\n'))
    this.#lines = lines.length - 1
  }

  /** Takes it away, so that what is written next stands where it was. */
  clear(): void {
    if (this.#lines > 0) this.#write(`\u001b[${this.#lines}A\u001b[0J`)
    this.#lines = 0
  }
}
