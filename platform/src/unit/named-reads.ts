import type { StoredValue } from '../space/index.ts'

/** A field that no step has asked for, and how many values had something there. */
export interface UnnamedField {
  readonly field: string
  readonly entries: number
  readonly first: StoredValue
}

/**
 * Notes which of some fields a step asks for by name (UN10). Copying a value whole, as `{ ...old }` does, names nothing:
 * what is copied and then not in the next schema is refused by that, and what is copied and left out would be lost.
 */
export class NamedReads {
  /** Those that nobody has asked for yet. */
  readonly #open: Set<string>
  readonly #found = new Map<string, { entries: number; first: StoredValue }>()

  constructor(fields: readonly string[]) {
    this.#open = new Set(fields)
  }

  /** Runs a step on a value, which is watched as long as there is something to find out. */
  during(value: StoredValue, step: (value: StoredValue) => unknown): unknown {
    const there = [...this.#open].filter((field) => value[field] !== undefined)
    if (there.length === 0) return step(value)
    let made: unknown
    try {
      made = step(this.#watched(value))
    } catch {
      // Some of the platform's functions refuse a proxy: what counts is what the step makes of the value itself.
      made = step(value)
    }
    for (const field of there) {
      const found = this.#found.get(field)
      if (found === undefined) this.#found.set(field, { entries: 1, first: value })
      else found.entries += 1
    }
    return made
  }

  /** The fields that were there and that no step has named. */
  unnamed(): readonly UnnamedField[] {
    return [...this.#found].flatMap(([field, found]) => (this.#open.has(field) ? [{ field, ...found }] : []))
  }

  #watched(value: StoredValue): StoredValue {
    // A spread asks for the description of each field before its value; whoever names a field does not.
    let described: PropertyKey | undefined
    return new Proxy(value, {
      getOwnPropertyDescriptor(target, name) {
        described = name
        return Reflect.getOwnPropertyDescriptor(target, name)
      },
      get: (target, name) => {
        if (described !== name && typeof name === 'string') this.#open.delete(name)
        described = undefined
        return Reflect.get(target, name) as unknown
      },
    })
  }
}
