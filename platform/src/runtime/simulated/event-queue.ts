import type { Timer } from '../ports.ts'
import type { Process } from './process.ts'

/** Something that happens at a moment of virtual time; `sequence` orders those of one moment by when they were put in. */
export interface WorldEvent {
  readonly time: number
  readonly sequence: number
  readonly run: () => void
  /** The process in which it happens; undefined for the world itself. */
  readonly owner: Process | undefined
  readonly handle: EventHandle
}

/** Stops an event wherever it waits by then: in the queue, or for its process. */
export class EventHandle implements Timer {
  #queue: EventQueue | undefined
  #stopped = false

  constructor(queue: EventQueue) {
    this.#queue = queue
  }

  get stopped(): boolean {
    return this.#stopped
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#queue?.forgetOne()
    this.#queue = undefined
  }

  /** Called when the event's time has come. */
  leaveQueue(): void {
    this.#queue = undefined
  }
}

/** Events by time, then by the order in which they were put in: a binary heap. */
export class EventQueue {
  readonly #heap: WorldEvent[] = []
  #sequence = 0
  #live = 0

  /** Events that will happen, without the stopped ones. */
  get size(): number {
    return this.#live
  }

  add(time: number, run: () => void, owner: Process | undefined): EventHandle {
    const handle = new EventHandle(this)
    this.#live += 1
    this.#push({ time, sequence: this.#sequence++, run, owner, handle })
    return handle
  }

  /** The time of the next event; Infinity if there is none. */
  nextTime(): number {
    this.#dropStopped()
    return this.#heap[0]?.time ?? Infinity
  }

  /** Takes the next event out. */
  take(): WorldEvent | undefined {
    this.#dropStopped()
    const event = this.#pop()
    if (event === undefined) return undefined
    event.handle.leaveQueue()
    this.#live -= 1
    return event
  }

  /** Called by a handle that stops an event of this queue, which stays in the heap until its turn. */
  forgetOne(): void {
    this.#live -= 1
  }

  #dropStopped(): void {
    while (this.#heap[0]?.handle.stopped === true) this.#pop()
  }

  #push(event: WorldEvent): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const above = (at - 1) >>> 1
      const other = heap[above]!
      if (isBefore(other, event)) break
      heap[at] = other
      at = above
    }
    heap[at] = event
  }

  #pop(): WorldEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || first === last) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below += 1
      if (isBefore(last, heap[below]!)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: WorldEvent, b: WorldEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence)
}
