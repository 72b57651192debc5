/** Which change made an entry what it is: compared, never counted, and not interchangeable with the version (ID2). */
export type Stamp = number & { readonly '~stamp': never }

/** A constructor that returns the object it was given, so that a subclass can hang a private field on it. */
class Given {
  constructor(value: object) {
    return value
  }
}

/**
 * The stamp rides on the stored object itself, as a private field: invisible to `Object.keys`, spread, JSON and
 * equality, and a spread copy has none. A WeakMap would do the same at four times the cost of a write.
 */
class Stamped extends Given {
  #stamp: number

  constructor(value: object, stamp: number) {
    super(value)
    this.#stamp = stamp
  }

  static of(value: object): number | undefined {
    return #stamp in value ? value.#stamp : undefined
  }
}

/** Marks a value with its stamp, once, before it is frozen and stored. */
export function stampValue(value: object, stamp: number): void {
  new Stamped(value, stamp)
}

/** The stamp of an entry that was read or watched; undefined for anything else, a spread copy included. */
export function stampOf(entry: object): Stamp | undefined {
  return Stamped.of(entry) as Stamp | undefined
}
