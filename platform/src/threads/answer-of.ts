import { stampOf, stampValue } from '../space/index.ts'

/** The stamps of an answer's entries, and at which of its objects they were met: the first is 0. */
export type SentStamps = readonly (readonly [at: number, stamp: number])[]

/** An answer on its way, and the stamps of its entries, which do not travel with them. */
export interface SentAnswer {
  readonly value: unknown
  readonly stamps: SentStamps | undefined
}

/** An answer to be sent. */
export function sentAnswer(value: unknown): SentAnswer {
  let stamps: [number, number][] | undefined
  walk(value, (object, at) => {
    const stamp = stampOf(object)
    if (stamp !== undefined) (stamps ??= []).push([at, stamp])
    return stamp !== undefined
  })
  return { value, stamps }
}

/** The answer as its partition gave it: frozen, with the stamps of its entries. */
export function answerOf({ value, stamps }: SentAnswer): unknown {
  if (stamps !== undefined) {
    let next = 0
    walk(value, (object, at) => {
      const [place, stamp] = stamps[next] ?? [-1, 0]
      if (place !== at) return false
      next += 1
      // Answers that came together share what they have in common.
      if (stampOf(object) === undefined) stampValue(object, stamp)
      return true
    })
  }
  freeze(value)
  return value
}

/** Shows the objects of a value in an order that a copy has too; below one that is an entry there are no others. */
function walk(value: unknown, isEntry: (object: object, at: number) => boolean): void {
  let met = 0
  const step = (item: unknown): void => {
    if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) return
    if (isEntry(item, met++)) return
    if (Array.isArray(item)) for (const one of item) step(one)
    else for (const name in item) step((item as Readonly<Record<string, unknown>>)[name])
  }
  step(value)
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return
  for (const name in value) freeze((value as Readonly<Record<string, unknown>>)[name])
  Object.freeze(value)
}
