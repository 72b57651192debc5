/** Time of this member. Both clocks in milliseconds, fractions allowed. */
export interface Clock {
  /** Never goes back, also not when the wall clock is set; its zero means nothing. */
  monotonic(): number
  /** Milliseconds since 1970 as the machine believes. */
  wall(): number
}

/** A running timer; `stop` after it fired does nothing. */
export interface Timer {
  stop(): void
}

/** Runs functions later, on the loop of this member. */
export interface Timers {
  after(delayMs: number, run: () => void): Timer
  /** Once the work at hand is done and pending input was looked at. */
  soon(run: () => void): void
}

/** Randomness; the simulator gives the same on the same seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** An integer in [0, below). */
  integer(below: number): number
  bytes(length: number): Uint8Array
}

/** An open file. Offsets and lengths in bytes. Writes need not be durable before `sync` resolved. */
export interface File {
  /** Writes the buffers one after the other, from `at`; resolves when all of them were handed to the disk. */
  write(buffers: readonly Uint8Array[], at: number): Promise<void>
  /** The same at once, for a single small batch on a fast disk. */
  writeNow(buffers: readonly Uint8Array[], at: number): void
  /** Makes the content of earlier writes durable (fdatasync). A failure is final (FE3). */
  sync(): Promise<void>
  syncNow(): void
  /** Up to `length` bytes from `at`; fewer at the end of the file. */
  read(at: number, length: number): Promise<Uint8Array>
  size(): Promise<number>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

/** A lock on a folder that the kernel releases with the process. */
export interface FolderLock {
  release(): void
}

/** The files of this member. Paths use `/`. */
export interface Disk {
  makeFolder(path: string): Promise<void>
  /** Names in a folder, sorted; an empty list where it does not exist. */
  list(path: string): Promise<readonly string[]>
  /** Creates the file if it is missing. */
  open(path: string): Promise<File>
  /** Undefined where the file does not exist. */
  readFile(path: string): Promise<Uint8Array | undefined>
  /** Writes a whole file so that after a crash either the old or the new content is there, durably. */
  replaceFile(path: string, content: Uint8Array): Promise<void>
  remove(path: string): Promise<void>
  /** Makes created, renamed and removed names of a folder durable. */
  syncFolder(path: string): Promise<void>
  /** FOLDER_IN_USE if another process, or this one, holds it (FE4); FOLDER_REFUSED on a network file system. */
  lock(path: string): Promise<FolderLock>
}

/** Messages between members and clients: may be lost, late, doubled or out of order, never altered. */
export interface Network {
  /** Delivers to `address` whatever arrives for it, until the returned function is called. */
  listen(address: string, receive: (from: string, message: Uint8Array) => void): () => void
  send(from: string, to: string, message: Uint8Array): void
}

/** How much a line of a log matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a program can look for in a line of a log. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where lines go: a logger of pino is one, and so is whatever has these four. A method that throws is nobody's error. */
export interface Log {
  debug(fields: LogFields, text: string): void
  info(fields: LogFields, text: string): void
  warn(fields: LogFields, text: string): void
  error(fields: LogFields, text: string): void
}

/** One end of the way between two threads of a process: messages arrive whole, once, and in order. */
export interface ThreadPort {
  /** Sends a structured clone; what is in `moved` is no longer the sender's. Throws for what cannot be cloned. */
  post(message: unknown, moved: readonly ArrayBuffer[]): void
  /** Hands over what arrives, from now on. */
  onMessage(receive: (message: unknown) => void): void
}

/** A thread, seen from the one that has started it. */
export interface Thread extends ThreadPort {
  /** Resolves when it has ended, with the error that ended it, if it was one. */
  readonly ended: Promise<Error | undefined>
  /** Whether the process has to live on for it. */
  hold(isHeld: boolean): void
  /** Ends it at once, whatever it does; resolves when it has ended. */
  end(): Promise<void>
}

/** Everything that a member gets from the world. */
export interface Runtime {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** SHA-256 of the concatenated parts, cut to 16 bytes. */
  digest(parts: readonly Uint8Array[]): Uint8Array
  /** Told by name when a rare situation is met, so that a campaign can prove that it met them all. */
  readonly probe?: (name: string) => void
}
