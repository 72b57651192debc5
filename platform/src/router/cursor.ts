// Cursors: the place after which the next page begins, as text, bound to the query that it came from.
import { PlenumError, xxh32 } from '../kernel/index.ts'
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import type { OrderBy, Place, StoredValue } from '../space/index.ts'

/** What a cursor belongs to. */
interface Asked {
  readonly type: string
  readonly where: StoredValue
  readonly orderBy?: OrderBy | undefined
}

/** The cursor of a place: base64url of a hash of the query and the encoded place. */
export function cursorOf(place: Place, asked: Asked): string {
  const writer = new ByteWriter(256)
  writer.varint(hashOf(asked))
  writeValue(writer, { items: place.items, key: place.key })
  const text = btoa(String.fromCharCode(...writer.written()))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The place of a cursor. QUERY_INVALID for one that is of another query, or none at all. */
export function placeIn(cursor: string, asked: Asked): Place {
  let place: unknown
  let hash: number
  try {
    const text = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'))
    const reader = new ByteReader(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))
    hash = reader.varint()
    place = readValue(reader)
  } catch (cause) {
    throw invalid('it was not made by readPage', cause)
  }
  if (hash !== hashOf(asked)) throw invalid('it belongs to another query; type, query and orderBy must be the same')
  return place as Place
}

function hashOf({ type, where, orderBy }: Asked): number {
  const writer = new ByteWriter(256)
  writeValue(writer, {
    type,
    where,
    order: Object.entries(orderBy ?? {}).filter(([, direction]) => direction !== undefined),
  })
  return xxh32(writer.bytes, writer.at)
}

function invalid(why: string, cause?: unknown): PlenumError {
  return new PlenumError('QUERY_INVALID', `The cursor cannot be used: ${why}. Begin with the first page.`, {
    details: { path: 'cursor' },
    cause,
  })
}
