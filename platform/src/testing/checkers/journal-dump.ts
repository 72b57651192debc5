/** One line of a journal dump: one effect of an accepted record, or the record itself where it has none. */
export interface DumpLine {
  readonly partition: number
  /** Index of the record. */
  readonly index: number
  /**
   * `added`, `changed`, `removed` or `expired` of an entry; `answered` for the answer that was kept for a request, which
   * closes its effects; for records of other kinds their name in small letters.
   */
  readonly kind: string
  readonly type?: string | undefined
  readonly key?: string | undefined
  readonly version?: number | undefined
  readonly value?: unknown
  /** The request that the effect belongs to: a session and its number, or a caller's own key alone. */
  readonly session?: string | undefined
  readonly request?: number | string | undefined
  /** Partition time of the record, milliseconds. */
  readonly time?: number | undefined
}

/** The kinds of line that are changes of entries. */
export const entryChangeKinds: readonly string[] = ['added', 'changed', 'removed', 'expired']

/** One name for what makes a request the same request; undefined where nothing does. */
export function requestName(of: {
  readonly session?: string | undefined
  readonly request?: number | string | undefined
}): string | undefined {
  if (of.request === undefined) return undefined
  return of.session === undefined ? `key ${of.request}` : `request ${of.request} of session ${of.session}`
}
