/** Removed keys that keep their place; in a map of fewer keys none does. */
const keptMax = 1_024
const smallMax = 64

/**
 * A map for keys that come and go. V8's own leaves a removed key in its hash chain until the whole map is made anew: in a
 * large one, a key that is set and removed again and again is found ever more slowly, up to milliseconds. Here a removed
 * key keeps its place, with nothing in it, until many others were removed after it.
 */
export class ReusingMap<K, V extends object> {
  readonly #map = new Map<K, V | undefined>()
  /** Keys that were removed; some may have been set again. */
  #removed = new Set<K>()

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  set(key: K, value: V): void {
    this.#map.set(key, value)
  }

  delete(key: K): void {
    if (this.#map.size <= smallMax) {
      this.#map.delete(key)
      return
    }
    if (this.#map.get(key) === undefined) return
    this.#map.set(key, undefined)
    this.#removed.add(key)
    if (this.#removed.size > keptMax) this.#forget()
  }

  /** The values, in no order; undefined in the place of a removed key. A generator would cost a scan twice its time. */
  values(): Iterable<V | undefined> {
    return this.#map.values()
  }

  /** The keys, in no order. */
  keys(): K[] {
    const keys: K[] = []
    for (const [key, value] of this.#map) if (value !== undefined) keys.push(key)
    return keys
  }

  #forget(): void {
    for (const key of this.#removed) if (this.#map.get(key) === undefined) this.#map.delete(key)
    this.#removed = new Set()
  }
}
