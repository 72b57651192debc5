import type { Model } from './model.ts'
import { tailsGoBack, type ModelState, type WriterState } from './states.ts'

/** What an exploration has seen; `broken` is the shortest way to the first broken invariant. */
export interface Explored {
  readonly states: number
  readonly depth: number
  readonly broken: { readonly invariant: string; readonly steps: readonly string[] } | undefined
  /** States by which a rare situation was met, so that an exploration that never met it shows. */
  readonly met: ReadonlyMap<string, number>
}

/** Judges one state: the name of a broken invariant, or undefined. `meet` counts situations. */
export type Inspect = (state: ModelState, meet: (situation: string) => void) => string | undefined

interface Seen {
  readonly from: Seen | undefined
  readonly label: string
}

/** Visits every state that can be reached, breadth first. Throws if there are more than `statesMax`. */
export function explore(model: Model, inspect: Inspect, statesMax: number): Explored {
  const met = new Map<string, number>()
  const meet = (situation: string): void => void met.set(situation, (met.get(situation) ?? 0) + 1)
  const seen = new Set<string>()
  let depth = 0
  let frontier: { readonly state: ModelState; readonly way: Seen }[] = []
  const visit = (state: ModelState, way: Seen, next: typeof frontier): string | undefined => {
    const key = keyOf(model, state)
    if (seen.has(key)) return undefined
    seen.add(key)
    next.push({ state, way })
    return inspect(state, meet)
  }
  const start: Seen = { from: undefined, label: 'start' }
  const atStart = visit(model.start(), start, frontier)
  if (atStart !== undefined) return { states: 1, depth, broken: { invariant: atStart, steps: [] }, met }
  while (frontier.length > 0) {
    const next: typeof frontier = []
    for (const { state, way } of frontier) {
      for (const step of model.steps(state)) {
        const to: Seen = { from: way, label: step.label }
        const invariant = visit(step.state, to, next)
        if (invariant !== undefined) return { states: seen.size, depth, broken: { invariant, steps: wayTo(to) }, met }
      }
    }
    if (seen.size > statesMax) throw new Error(`the model has more than ${statesMax} states`)
    frontier = next
    depth += 1
  }
  return { states: seen.size, depth, broken: undefined, met }
}

function wayTo(seen: Seen): readonly string[] {
  const steps: string[] = []
  for (let at: Seen | undefined = seen; at?.from !== undefined; at = at.from) steps.unshift(at.label)
  return steps
}

/**
 * Equal for states with the same future. What every live writer has read matters no more than by the head that it led
 * to: the invariants were checked when it was stored, and history goes on from the head's record.
 *
 * One character a number, because strings that are put together from many parts cost most of the time.
 */
function keyOf(model: Model, state: ModelState): string {
  const looksBack = tailsGoBack(model.bounds)
  let unread = looksBack ? 0 : state.stream.length
  for (const { role, head } of state.writers) {
    if (role === 'opening' || role === 'primary') unread = Math.min(unread, model.records.head(head).next - 1)
  }
  const { stream, head, counted, sent, drops, elections, unchecked, regressions, stales } = state
  const key: number[] = [stream.length, head, counted, drops, elections, unchecked, regressions, stales]
  for (let at = unread; at < stream.length; at++) key.push(stream[at]!)
  addList(key, sent)
  for (const { role, head: own, window, acked, resolves, believed } of state.writers) {
    key.push(roles.indexOf(role), own, acked, resolves)
    addList(key, window)
    addList(key, believed)
  }
  if (looksBack) {
    addList(key, state.acks)
    addList(key, state.promised)
    for (const { found, follows, restoring } of state.writers) {
      key.push(follows, restoring ? 1 : 0)
      addList(key, found)
    }
  }
  return String.fromCharCode(...key)
}

const roles: readonly WriterState['role'][] = ['idle', 'opening', 'primary', 'fenced', 'forked']

/** Its length first, so that what follows cannot be taken for a part of it. */
function addList(key: number[], list: readonly number[]): void {
  key.push(list.length)
  for (const item of list) key.push(item)
}
