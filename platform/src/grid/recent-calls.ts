/** Calls of one client that are remembered; a copy that comes later than so many others is taken for a call. */
const callsMax = 1_024
/** Clients that are remembered; beyond them the one that was heard first is forgotten. */
const clientsMax = 10_000

/**
 * The calls that came to a member not long ago, by client. A network may deliver a request twice; if the two copies met
 * different answers, a refusal that says that nothing happened would be wrong (SP13).
 */
export class RecentCalls {
  readonly #byClient = new Map<string, Set<number>>()

  /** True if this call came for the first time. */
  isNew(client: string, call: number): boolean {
    const calls = this.#of(client)
    if (calls.has(call)) return false
    calls.add(call)
    if (calls.size > callsMax) forgetFirst(calls)
    return true
  }

  #of(client: string): Set<number> {
    const known = this.#byClient.get(client)
    if (known !== undefined) return known
    const calls = new Set<number>()
    this.#byClient.set(client, calls)
    if (this.#byClient.size > clientsMax) forgetFirst(this.#byClient)
    return calls
  }
}

function forgetFirst<K>(from: { keys(): Iterable<K>; delete(key: K): boolean }): void {
  for (const first of from.keys()) {
    from.delete(first)
    return
  }
}
