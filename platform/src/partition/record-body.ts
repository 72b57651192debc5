import { ByteWriter } from '../codec/index.ts'
import { recordHeaderBytes } from '../journal/index.ts'

/** A writer for the body of a record, with room for the header before it. */
export function emptyBody(): ByteWriter {
  const body = new ByteWriter(recordHeaderBytes)
  body.at = recordHeaderBytes
  return body
}
