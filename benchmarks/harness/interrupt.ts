/** What a shell expects of a program that a signal ended: 128 and the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Where the process is told to end, ends what a benchmark started before it goes. Until it is disposed of; a second
 * signal ends the process at once.
 */
export function endOnInterrupt(end: () => Promise<void>): Disposable {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const stop = (signal: (typeof signals)[number]): void => {
    forget()
    const leave = (): void => process.exit(exitCodes[signal])
    end().then(leave, (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      leave()
    })
  }
  const forget = (): void => {
    for (const signal of signals) process.off(signal, stop)
  }
  for (const signal of signals) process.on(signal, stop)
  return { [Symbol.dispose]: forget }
}
