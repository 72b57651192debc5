import type { Caller } from '../space/index.ts'

/** Decides whether a remote caller may call a part with this input (UN11). Synchronous, and pure. */
export type Access<I> = (caller: Caller, input: I) => boolean

/** Opens a part to every caller. */
export const anyone: Access<unknown> = () => true
