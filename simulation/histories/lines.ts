// Histories and journal dumps as files: what is written, and how it is read back.
import { PlenumError } from 'plenum'
import { entryChangeKinds, jsonLines, readHistory, type DumpLine, type HistoryEvent } from 'plenum/testing'

/** A journal dump as text. Only changes of entries tell more than where they stand and what they are. */
export function dumpText(dump: readonly DumpLine[]): string {
  return jsonLines(
    dump.map(({ partition, index, kind, type, key, version, value, session, request, time }) =>
      entryChangeKinds.includes(kind)
        ? { partition, index, kind, type, key, version, value, ...identity(session, request), time }
        : { partition, index, kind },
    ),
  )
}

/** A caller's own key that names a session and a number is told as the two; any other is a request without a session. */
function identity(
  session: string | undefined,
  request: number | string | undefined,
): Pick<DumpLine, 'session' | 'request'> {
  const parts = session === undefined && typeof request === 'string' ? /^(.+)\/(\d+)$/.exec(request) : null
  return parts === null ? { session, request } : { session: parts[1], request: Number(parts[2]) }
}

/** Reads a history; the lines that npm prints before a script are passed over. CHECK_FAILED names a line that is none. */
export function historyFrom(text: string): readonly HistoryEvent[] {
  return readHistory(withoutBanner(text))
}

/** Reads a journal dump. CHECK_FAILED names a line that is none. */
export function dumpFrom(text: string): readonly DumpLine[] {
  const lines = withoutBanner(text).split('\n')
  return lines.flatMap((line, at) => {
    if (line === '') return []
    const effect = parsed(line)
    if (isDumpLine(effect)) return [effect]
    throw new PlenumError('CHECK_FAILED', `Line ${at + 1} of the journal dump is not an effect: ${line}`)
  })
}

function withoutBanner(text: string): string {
  return text.replace(/^(?:(?:> .*)?\n)+/, '')
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isDumpLine(line: unknown): line is DumpLine {
  if (typeof line !== 'object' || line === null) return false
  if (!('partition' in line && 'index' in line && 'kind' in line)) return false
  return typeof line.partition === 'number' && typeof line.index === 'number' && typeof line.kind === 'string'
}
