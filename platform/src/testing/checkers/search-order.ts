// The search for an order of operations that explains what was answered: Wing & Gong's, with Lowe's memoisation and
// just-in-time linearization. J. M. Wing and C. Gong, "Testing and verifying concurrent objects", 1993; G. Lowe,
// "Testing for linearizability", 2017.
//
// I1 Operations take effect between invocation and completion; one whose outcome is unknown at any time after its
//    invocation, or never.
// I2 An operation is put into the order only when another's completion asks for it, which loses no explanation.
// I3 Of unknown operations that do the same, the one that began first is used first: it can stand wherever the others can.
// I4 A configuration is not looked at again if one that was looked at had the same state and the same operations open,
//    and had used up no other unknown operation: whatever explains the rest for one explains it for the other.

/** What the search has to know of an operation. */
export interface Timed {
  /** Places in the history. */
  readonly invoked: number
  readonly completed: number
  /** False if its outcome is unknown. */
  readonly known: boolean
}

/** A sequential object: what one operation at a time does. */
export interface SequentialModel<State, Operation extends Timed> {
  readonly initial: State
  /** The state after the operation; undefined where it does not fit what was answered, or would do nothing. */
  readonly step: (state: State, operation: Operation) => State | undefined
  /** Equal texts, equal states. */
  readonly text: (state: State) => string
  /** Equal texts, operations that would do the same if nobody was told their answers. */
  readonly kin: (operation: Operation) => string
  /** How far a state is from one in which `goal` could be answered as it was; smaller is tried first. */
  readonly distance?: (state: State, goal: Operation) => number
}

/** How a search ended, after how many configurations. */
export type SearchOutcome<Operation> =
  | { readonly kind: 'explained'; readonly steps: number }
  | {
      readonly kind: 'impossible'
      readonly steps: number
      /** The completion that no order reaches, and the states in which it was tried. */
      readonly at: Operation
      readonly states: readonly string[]
    }
  | { readonly kind: 'undecided'; readonly steps: number }

interface Configuration<State> {
  /** Number of completions that are explained. */
  readonly at: number
  readonly state: State
  /** Operations that took effect and have not completed: bit n is the n-th completion from `at`. */
  readonly done: bigint
  /** Unknown operations that took effect, by their number. */
  readonly used: bigint
}

/** Searches for an order; at most `budget` configurations are looked at. */
export function searchOrder<State, Operation extends Timed>(
  model: SequentialModel<State, Operation>,
  operations: readonly Operation[],
  budget: number,
): SearchOutcome<Operation> {
  const search = new OrderSearch(model, operations)
  return search.run(budget)
}

class OrderSearch<State, Operation extends Timed> {
  readonly #model: SequentialModel<State, Operation>
  readonly #completions: readonly Operation[]
  /** For each completion, how far behind it those of the operations lie that had begun before it. */
  readonly #overlaps: readonly (readonly number[])[]
  readonly #unknown: readonly Operation[]
  readonly #seen = new Map<string, bigint[]>()
  #furthest = 0
  #states = new Set<string>()

  constructor(model: SequentialModel<State, Operation>, operations: readonly Operation[]) {
    this.#model = model
    this.#completions = operations.filter(({ known }) => known).toSorted((a, b) => a.completed - b.completed)
    this.#overlaps = overlaps(this.#completions)
    this.#unknown = operations.filter(({ known }) => !known).toSorted((a, b) => a.invoked - b.invoked)
  }

  run(budget: number): SearchOutcome<Operation> {
    const start = { at: 0, state: this.#model.initial, done: 0n, used: 0n }
    if (this.#completions.length === 0) return { kind: 'explained', steps: 0 }
    this.#note(start)
    const stack = [this.#after(start)]
    let steps = 1
    while (stack.length > 0) {
      const config = stack.at(-1)!.pop()
      if (config === undefined) {
        stack.pop()
        continue
      }
      if (config.at === this.#completions.length) return { kind: 'explained', steps }
      steps += 1
      if (steps > budget) return { kind: 'undecided', steps }
      this.#note(config)
      stack.push(this.#after(config))
    }
    const at = this.#completions[this.#furthest]!
    return { kind: 'impossible', steps, at, states: [...this.#states] }
  }

  /**
   * The configurations after one more operation that are not covered, the likeliest last. All of them are noted before
   * one is looked into, so that using up less comes before using up more.
   */
  #after(from: Configuration<State>): Configuration<State>[] {
    const goal = this.#completions[from.at]!
    const own = this.#model.step(from.state, goal)
    const first = own === undefined ? [] : [this.#completed({ ...from, state: own, done: from.done | 1n })]
    const { distance } = this.#model
    const others = [...this.#others(from, goal)]
    if (distance !== undefined) others.sort((a, b) => distance(a.state, goal) - distance(b.state, goal))
    return [...first, ...others].filter((config) => !this.#isCovered(config)).toReversed()
  }

  *#others(from: Configuration<State>, goal: Operation): Generator<Configuration<State>> {
    const { at, state, done, used } = from
    for (const bit of this.#overlaps[at]!) {
      if ((done >> BigInt(bit)) & 1n) continue
      const next = this.#model.step(state, this.#completions[at + bit]!)
      if (next !== undefined) yield { at, state: next, done: done | (1n << BigInt(bit)), used }
    }
    const offered = new Set<string>()
    for (const [number, other] of this.#unknown.entries()) {
      if (other.invoked > goal.completed) return
      const kin = this.#model.kin(other)
      if ((used >> BigInt(number)) & 1n || offered.has(kin)) continue
      offered.add(kin)
      const next = this.#model.step(state, other)
      if (next !== undefined) yield { at, state: next, done, used: used | (1n << BigInt(number)) }
    }
  }

  /** Passes the completions of operations that took effect already. */
  #completed(config: Configuration<State>): Configuration<State> {
    let { at, done } = config
    for (; done & 1n; at++) done >>= 1n
    return { ...config, at, done }
  }

  #isCovered({ at, state, done, used }: Configuration<State>): boolean {
    const name = `${at} ${done} ${this.#model.text(state)}`
    const before = this.#seen.get(name)
    if (before === undefined) {
      this.#seen.set(name, [used])
      return false
    }
    if (before.some((fewer) => (fewer & used) === fewer)) return true
    before.push(used)
    return false
  }

  #note({ at, state }: Configuration<State>): void {
    if (at < this.#furthest) return
    if (at > this.#furthest) this.#states.clear()
    this.#furthest = at
    if (this.#states.size < 16) this.#states.add(this.#model.text(state))
  }
}

function overlaps(completions: readonly Timed[]): readonly (readonly number[])[] {
  const lists: number[][] = completions.map(() => [])
  for (const [at, { invoked }] of completions.entries()) {
    for (let before = at - 1; before >= 0 && completions[before]!.completed > invoked; before--) {
      lists[before]!.push(at - before)
    }
  }
  return lists
}

/**
 * The least that shows why a completion has no explanation: the operation itself, what overlapped it and what those
 * overlapped, the last operation before that, and the unknown ones that might have played a part.
 */
export function conflictAround<Operation extends Timed>(
  operations: readonly Operation[],
  at: Operation,
): readonly Operation[] {
  const known = operations.filter((one) => one.known && one.invoked <= at.completed)
  let from = at.invoked
  for (const one of known.toSorted((a, b) => b.completed - a.completed)) {
    if (one.completed < from) break
    from = Math.min(from, one.invoked)
  }
  const before = known.filter((one) => one.completed < from).toSorted((a, b) => b.completed - a.completed)[0]
  return operations.filter(
    (one) => one.invoked <= at.completed && (one.completed >= from || one === before || !one.known),
  )
}
