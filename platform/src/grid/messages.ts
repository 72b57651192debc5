import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import type { Answer, Request, Stamps } from '../space/index.ts'

/** What members and clients say to each other. `call` pairs an answer with its request at the sender. */
export type Message =
  | {
      readonly kind: 'request'
      readonly call: number
      readonly partition: number
      readonly request: Request
      /** Milliseconds of silence after which the client asks another member. */
      readonly patienceMs: number
    }
  /** The request waits for a match (SP5): the member lives, and the answer may take long. */
  | { readonly kind: 'waiting'; readonly call: number }
  | { readonly kind: 'answer'; readonly call: number; readonly answer: Answer; readonly stamps?: Stamps }

/** A message as bytes. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new ByteWriter(256)
  writeValue(writer, message)
  return writer.written().slice()
}

/** The message that `encodeMessage` was given. */
export function decodeMessage(bytes: Uint8Array): Message {
  return readValue(new ByteReader(bytes)) as Message
}
