// Cursors and tokens: where a page or a watch goes on, as texts that are bound to the query that they came from.
import { PlenumError, xxh32 } from '../kernel/index.ts'
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import type { OrderBy, Place, StoredValue } from '../space/index.ts'

/** What a cursor belongs to. */
interface Asked {
  readonly type: string
  readonly where: StoredValue
  readonly orderBy?: OrderBy | undefined
}

/** The cursor of a place. */
export function cursorOf(place: Place, asked: Asked): string {
  return opaqueText({ items: place.items, key: place.key }, asked)
}

/** The place of a cursor. QUERY_INVALID for one that is of another query, or none at all. */
export function placeIn(cursor: string, asked: Asked): Place {
  return readOpaque(cursor, asked, 'cursor') as Place
}

/** A value as a text that belongs to a query: base64url of a hash of the query and the encoded value. */
export function opaqueText(value: unknown, asked: Asked): string {
  const writer = new ByteWriter(256)
  writer.varint(hashOf(asked))
  writeValue(writer, value)
  let bytes = ''
  for (const byte of writer.written()) bytes += String.fromCharCode(byte)
  const text = btoa(bytes)
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The value of a text that was made for this query; QUERY_INVALID names the option that it was given as. */
export function readOpaque(given: string, asked: Asked, option: 'cursor' | 'since'): unknown {
  let value: unknown
  let hash: number
  try {
    const text = atob(given.replaceAll('-', '+').replaceAll('_', '/'))
    const reader = new ByteReader(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))
    hash = reader.varint()
    value = readValue(reader)
  } catch (cause) {
    throw invalid(option, 'it is no text that a page or a watch has given', cause)
  }
  if (hash !== hashOf(asked)) {
    throw invalid(option, 'it belongs to another query; type, query and orderBy must be the same')
  }
  return value
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

function invalid(option: 'cursor' | 'since', why: string, cause?: unknown): PlenumError {
  const what = option === 'cursor' ? 'The cursor' : 'The token'
  return new PlenumError('QUERY_INVALID', `${what} cannot be used: ${why}. Begin without it.`, {
    details: { path: option },
    cause,
  })
}
