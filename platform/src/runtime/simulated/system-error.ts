const texts = {
  EIO: 'input/output error',
  ENOSPC: 'no space left on device',
  ENOENT: 'no such file or directory',
  EBADF: 'bad file descriptor',
} as const

/** An error as the operating system gives it: with its `code`. */
export function systemError(code: keyof typeof texts, path: string): Error {
  return Object.assign(new Error(`${code}: ${texts[code]}, ${path}`), { code })
}
