// A follower of a simulated stream: announcements as they come, and the leader's own tail where they cannot be trusted.
//
// I1 Positions are given out one after the other, each once.
// I2 At the start, at any gap, and after two missed heartbeats the leader's tail is read.
// I3 A silent leader is asked again for as long as the follower follows; that is for its lease to judge.
// I4 A tail behind what was given out ends the sequence with JOURNAL_UNAVAILABLE: the member must look for itself whether
//    an old leader answered or the stream has lost something.
import { isPlenumError } from '../../kernel/index.ts'
import type { Found, Position } from '../journal.ts'
import { Announcements } from './announcements.ts'
import type { Connection } from './connection.ts'
import type { StreamServers } from './servers.ts'
import { pageRecordsMax, trimmed, type StreamPage } from './stream-page.ts'

/** Follows from `from` until the signal aborts or the connection closes. */
export async function* followStream(
  servers: StreamServers,
  connection: Connection,
  from: Position,
  signal: AbortSignal,
): AsyncGenerator<Found, void> {
  const announcements = new Announcements(connection.timers)
  const wire = connection.wire('in')
  const wake = (): void => announcements.wake()
  const stopListening = servers.listen((found) => {
    wire.send(() => connection.hand(() => announcements.hear(found)))
  })
  const stopEnding = connection.onEnd(wake, stopListening)
  signal.addEventListener('abort', wake)
  const over = (): boolean => signal.aborted || connection.closed
  try {
    let position = from
    let lookedTo = from
    let look = true
    while (!over()) {
      if (look) {
        const page = await askTail(servers, connection, position, signal)
        if (over()) return
        if (page === undefined) {
          await announcements.wait(servers.timings.followQuiet / 4)
          continue
        }
        if (page.next < position) throw wentBack(connection, position, page.next)
        if (position < page.first) throw trimmed(position, page.first)
        for (const found of page.records) {
          yield found
          position = found.position + 1
          if (over()) return
        }
        lookedTo = position
        look = position < page.next
        continue
      }
      const heard = announcements.take()
      if (heard === undefined) {
        look = await announcements.wait(servers.timings.followQuiet)
      } else if (heard.position === position) {
        yield heard
        position += 1
      } else if (heard.position >= lookedTo) {
        // Below that it only comes late: its record was read from the leader.
        servers.probe('gap in what was announced')
        look = true
      }
    }
  } finally {
    stopListening()
    stopEnding()
    signal.removeEventListener('abort', wake)
  }
}

/** The leader's tail and what stands from `position` on; undefined if it is silent. */
async function askTail(
  servers: StreamServers,
  connection: Connection,
  position: Position,
  signal: AbortSignal,
): Promise<StreamPage | undefined> {
  try {
    return await connection.request('the tail', () => servers.page(position, pageRecordsMax), signal)
  } catch (error) {
    if (isPlenumError(error, 'JOURNAL_UNAVAILABLE')) return undefined
    throw error
  }
}

function wentBack(connection: Connection, position: Position, next: Position): Error {
  return connection.unavailable(`records from position ${position}, and its tail is ${next}`, 'tail went back')
}
