// One run of an instance: its function is called from its beginning, and is given what its earlier steps have returned; the
// first step that was not taken is taken.
//
// Owns the order of the steps, and when a run is over. Does not own what is committed at its end: that is the worker's
// (`workflow-worker.ts`). Called by it, once for each claim.
//
// I1 A step is numbered when it is begun, and is what was begun under its number in every run, or the run is stopped.
// I2 A run is over when no step is being taken and its function has ended, or waits for one that cannot be taken now.
// I3 Whoever takes a step looks at the instance in the transaction that commits it: one that fails, has ended or was taken
//    further by somebody else gets no more steps (`Overtaken`), and one that is cancelled none after this.
import { PlenumError, workflowLimits } from '../kernel/index.ts'
import type { SpaceClient } from '../router/index.ts'
import { isPassing } from '../unit/index.ts'
import type { StepRetry } from './context.ts'
import type { Work } from './endings.ts'
import { causeOf, isDefect, keptError, Overtaken, stepFailed } from './kept-errors.ts'
import type { Park } from './park.ts'
import type { InstanceRow, KeptError, StepKind, StepRow } from './rows.ts'
import type { StepContextObject } from './step-attempt.ts'
import { waitFor, type Wait, type Waited } from './step-waits.ts'
import { overtaken, takeStep } from './take-step.ts'
import type { WorkflowDefinition } from './workflow-definition.ts'
import { isOvertaken } from './workflow-handlers.ts'

/** How a run has ended. */
export type Ending =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: KeptError }
  /** It comes to steps that must not be taken any more. */
  | { readonly kind: 'halted' }
  /** It goes on later. */
  | { readonly kind: 'parked'; readonly parks: readonly Park[] }
  /** It cannot go on as the code is. */
  | { readonly kind: 'stopped'; readonly error: KeptError }
  /** The run has come to nothing, and is no fault of its own. */
  | { readonly kind: 'given back'; readonly error: unknown }

/** The endings, strongest first: one of them stands if several steps end a run. */
const strength = ['given back', 'stopped', 'failed', 'halted', 'parked', 'done'] as const

/** How a step that was taken is undone. */
export interface Undo {
  readonly number: number
  readonly name: string
  readonly result: unknown
  readonly run: (result: unknown, context: StepContextObject) => unknown
  readonly retry: StepRetry | undefined
}

/** What a run is made with. */
export interface RunOptions extends Work {
  /** By number. */
  readonly steps: ReadonlyMap<number, StepRow>
  /** Whether steps are taken; if not, the run ends where it comes to one that was not. */
  readonly takesSteps: boolean
}

/** A step that was begun in this run. */
interface Call {
  readonly number: number
  readonly kind: StepKind
  readonly name: string
  /** What is there of it already: a wait that was begun. */
  readonly row: StepRow | undefined
}

export class Run {
  /** How the steps that were met are undone, in their order. */
  readonly undos: Undo[] = []
  readonly #options: RunOptions
  readonly #over = Promise.withResolvers<Ending>()
  readonly #parks: Park[] = []
  readonly #begun: number
  #ending: Ending | undefined
  #next = 0
  /** Steps that were met of those that were taken before. */
  #met = 0
  /** Steps that are being taken. */
  #active = 0
  /** True while steps may be begun beside the one that was begun last. */
  #isTurn = false
  /** True once no further step is to be taken. */
  #isHalted: boolean

  constructor(options: RunOptions) {
    this.#options = options
    this.#isHalted = !options.takesSteps
    this.#begun = options.context.now
  }

  /** Runs the function as far as it goes now. */
  play(): Promise<Ending> {
    const { definition, instance } = this.#options
    const context = {
      id: instance.id,
      step: (name: string, run: StepFunction, options?: TakenOptions) => this.#step(name, run, options),
      sleep: (time: string) => this.#wait({ kind: 'sleep', name: 'sleep', time }),
      receive: (name: string, options: { readonly timeout?: string } = {}) =>
        this.#wait({ kind: 'receive', name, timeout: options.timeout }),
      until: (type: { readonly name: string }, where: object, options: { readonly timeout?: string } = {}) =>
        this.#wait({ kind: 'until', name: type.name, where, timeout: options.timeout }),
    }
    const run = async (): Promise<unknown> => definition.run(instance.input, context)
    run().then(
      (result) => this.#end({ kind: 'done', result }),
      (error: unknown) => this.#end({ kind: 'failed', error: causeOf(error) }),
    )
    return this.#over.promise
  }

  #step(name: string, run: StepFunction, options: TakenOptions = {}): Promise<unknown> {
    const guard = (tx: SpaceClient): Promise<void> => this.#guard(tx)
    const take = ({ number }: Call): Promise<Waited> =>
      takeStep({ ...this.#options, number, name, retry: options.retry, run, guard })
    return this.#begin('step', name, take, options)
  }

  #wait(wait: Wait): Promise<unknown> {
    const guard = (tx: SpaceClient): Promise<void> => this.#guard(tx)
    return this.#begin(wait.kind, wait.name, ({ number, row }) =>
      waitFor(wait, { ...this.#options, number, row, guard }),
    )
  }

  /** Gives a step its number, and what it returned before; or has it taken. */
  #begin(
    kind: StepKind,
    name: string,
    take: (call: Call) => Promise<Waited>,
    options: TakenOptions = {},
  ): Promise<unknown> {
    const refused = this.#whyNot(name)
    if (refused !== undefined) return this.#stop(refused, name)
    const number = this.#next++
    const row = this.#options.steps.get(number)
    if (row !== undefined) {
      if (row.kind !== kind || row.name !== name) return this.#stop(this.#changed(number, `${kind} '${name}'`), name)
      this.#met += 1
      const { undo } = options
      if (undo !== undefined && row.state === 'done')
        this.undos.push({ number, name, result: row.result, run: undo, retry: options.retry })
      if (row.state === 'failed' && row.error !== null)
        return Promise.reject(stepFailed(this.#options.definition.name, row.error))
      if (isOver(row, this.#options.context.now)) return Promise.resolve(row.result)
    }
    if (this.#isHalted) return this.#halt()
    this.#openTurn()
    this.#active += 1
    return this.#taken(take({ number, kind, name, row }), name)
  }

  /** Sees to what comes of a step that is being taken. */
  async #taken(taking: Promise<Waited>, name: string): Promise<unknown> {
    const taken = await taking.catch((error: unknown) => ({ kind: 'thrown' as const, error }))
    this.#active -= 1
    this.#settle()
    switch (taken.kind) {
      case 'over':
        return taken.value
      case 'parked':
        return this.#park(taken.park)
      case 'thrown': {
        const { error } = taken
        if (error instanceof Overtaken) return this.#giveBack(overtaken(this.#options))
        if (isPassing(error)) return this.#giveBack(error)
        if (isDefect(error)) return this.#stop(error, name)
        throw error
      }
    }
  }

  async #guard(tx: SpaceClient): Promise<void> {
    const { entries, instance } = this.#options
    const present = (await tx.get(entries.instances, { id: instance.id })) as InstanceRow | undefined
    if (present === undefined || present.undoing || isOvertaken(instance, present)) throw new Overtaken()
    if (present.cancel) this.#isHalted = true
  }

  /** Has the instance claimed again when this is over. */
  #park(park: Park): Promise<never> {
    this.#parks.push(park)
    this.#end({ kind: 'parked', parks: this.#parks })
    return never()
  }

  #halt(): Promise<never> {
    this.#end({ kind: 'halted' })
    return never()
  }

  #stop(error: PlenumError, step: string): Promise<never> {
    this.#end({ kind: 'stopped', error: keptError(error, step) })
    return never()
  }

  #giveBack(error: unknown): Promise<never> {
    this.#end({ kind: 'given back', error })
    return never()
  }

  /** The run ends so, unless it ends in a way that counts for more. */
  #end(ending: Ending): void {
    const before = this.#ending === undefined ? Infinity : strength.indexOf(this.#ending.kind)
    if (strength.indexOf(ending.kind) <= before) this.#ending = ending
    this.#settle()
  }

  /** Once nothing is being taken, and what follows from that has had its turn, the run is over (I2). */
  #settle(): void {
    if (this.#active > 0 || this.#ending === undefined) return
    const at = this.#next
    this.#options.context.runtime.timers.soon(() => {
      const ending = this.#ending
      if (this.#active > 0 || this.#next !== at || ending === undefined) return
      this.#over.resolve(ending.kind === 'done' || ending.kind === 'failed' ? this.#checkedEnd(ending) : ending)
    })
  }

  /** A function that ends before all the steps that were taken is not the one that took them. */
  #checkedEnd(ending: Ending): Ending {
    if (this.hasMetAll) return ending
    return this.changed
  }

  /** True if the run has met all steps that were taken before. */
  get hasMetAll(): boolean {
    return this.#met >= this.#options.steps.size
  }

  /** The ending of a run that has not. */
  get changed(): Ending {
    return { kind: 'stopped', error: keptError(this.#changed(this.#next, 'its end'), null) }
  }

  /** Steps may be begun beside each other in one turn: their order is the same then in each run. */
  #openTurn(): void {
    if (this.#isTurn) return
    this.#isTurn = true
    queueMicrotask(() => (this.#isTurn = false))
  }

  #whyNot(name: string): PlenumError | undefined {
    const { definition, context } = this.#options
    if (typeof name !== 'string' || name.length === 0 || name.length > nameLengthMax)
      return invalid(definition, `takes a step whose name has not 1 to ${nameLengthMax} characters`)
    if (this.#next >= workflowLimits.steps)
      return invalid(definition, `takes more than ${workflowLimits.steps} steps in one instance`)
    if (this.#active > 0 && !this.#isTurn) {
      return invalid(
        definition,
        `begins step '${name}' while another one is being taken, so that the order of the two is chance. Begin them together, Promise.all([step(…), step(…)]), or await the first`,
      )
    }
    if (context.now - this.#begun > workflowLimits.runMs && !this.#isHalted) this.#isHalted = true
    return undefined
  }

  #changed(number: number, found: string): PlenumError {
    const { definition, steps } = this.#options
    const row = steps.get(number) ?? [...steps.values()].find((one) => one.number >= number)
    const taken = row === undefined ? 'something else' : `${row.kind} '${row.name}'`
    return new PlenumError(
      'WORKFLOW_CHANGED',
      `Workflow '${definition.name}' comes to ${found} at position ${number}, where this instance has taken ${taken}. It goes on by itself once code that takes these steps is deployed: keep version ${definition.version} as it was, and give what has changed a new version.`,
      { details: { workflow: definition.name, version: definition.version, position: number, taken, found } },
    )
  }
}

type StepFunction = (context: StepContextObject) => unknown

/** The untyped face of `StepOptions`. */
interface TakenOptions {
  readonly undo?: (result: unknown, context: StepContextObject) => unknown
  readonly retry?: StepRetry
}

/** Characters of the name of a step. */
const nameLengthMax = 128

/** True if a step returns what is kept of it, and does not go on waiting. */
function isOver({ kind, state, until }: StepRow, now: number): boolean {
  return kind === 'sleep' ? now >= (until ?? 0) : state !== 'open'
}

function never(): Promise<never> {
  return new Promise(() => {})
}

function invalid({ name }: WorkflowDefinition, what: string): PlenumError {
  return new PlenumError('WORKFLOW_STEP_INVALID', `Workflow '${name}' ${what}.`, { details: { workflow: name } })
}
