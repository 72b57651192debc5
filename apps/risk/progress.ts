/** The part of a text stream that progress needs; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Tells long steps to whoever waits. */
export interface Progress {
  tell(step: string): void
  /** Takes the last step off the screen, so that what is written next begins on a clean line. */
  clear(): void
}

/** Silent progress. */
export const silent: Progress = { tell: () => undefined, clear: () => undefined }

/** Progress on a stream: one line that changes on a terminal, a line for each step elsewhere. */
export function progressOn(stream: ProgressStream): Progress {
  if (stream.isTTY !== true) return { ...silent, tell: (step) => void stream.write(`risk: ${step}\n`) }
  // Some terminals do not know their width and say 0.
  const width = stream.columns === undefined || stream.columns < 2 ? 80 : stream.columns
  const eraseLine = '\r\u001B[K'
  return {
    // A line that wraps could not be taken back, so it ends one column before the edge.
    tell: (step) => void stream.write(`${eraseLine}${`risk: ${step}`.slice(0, width - 1)}`),
    clear: () => void stream.write(eraseLine),
  }
}
