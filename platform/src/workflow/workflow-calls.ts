// The instances of a workflow through a client of its unit: what `on` returns.
import { durationMs, PlenumError, type Duration } from '../kernel/index.ts'
import type { CallOptions, Input, RequestOptions, Stored } from '../space/index.ts'
import { endStatuses, type InstanceRow } from './rows.ts'
import type { WorkflowShape } from './workflow.ts'

/** What of a client is needed; every client of a unit that has the workflow's parts fits. */
export interface WorkflowHost {
  readonly handlers: object
  readonly space: object
}

/** The instances of a workflow, typed by it. */
export interface WorkflowHandle<W extends WorkflowShape> {
  /**
   * Begins an instance. One that there is with this id, and the same input, is left as it is: the call may be repeated.
   * ENTRY_EXISTS if its input is another.
   */
  start(
    id: string,
    input: W['input'],
    options?: RequestOptions,
  ): Promise<{ readonly id: string; readonly isNew: boolean }>
  /** What the instance has returned, once it is done. WORKFLOW_FAILED if it fails or is cancelled, TIMEOUT after that time. */
  result(id: string, options?: CallOptions): Promise<W['result']>
  /** The instance as it is; undefined if there is none, or none any more. */
  get(id: string, options?: CallOptions): Promise<Stored<InstanceRow<W['input'], W['result']>> | undefined>
  /** Sends a message to the instance, which it receives when it wants one. False if it has ended. */
  send<K extends keyof W['messages'] & string>(
    id: string,
    name: K,
    data: Input<W['messages'][K]>,
    options?: RequestOptions,
  ): Promise<boolean>
  /** Has the instance end after the step that it is in, and what it has done undone. False if it ends already. */
  cancel(id: string, options?: RequestOptions): Promise<boolean>
  /** Has an instance that is stopped go on. False if it is not. */
  resume(id: string, options?: RequestOptions): Promise<boolean>
}

type Call = (input: unknown, options?: RequestOptions) => Promise<unknown>

interface Rows {
  get(type: string, key: object, options?: CallOptions): Promise<unknown>
  read(type: string, where: object, options?: CallOptions & { readonly wait?: Duration }): Promise<unknown>
}

/** How long one request waits for the end of an instance, before the next one does. */
const waitTime = '1h'

/** The untyped face of `WorkflowHandle`. */
export class WorkflowCalls {
  readonly #name: string
  readonly #handlers: object
  readonly #space: Rows

  constructor(name: string, { handlers, space }: WorkflowHost) {
    if (!isRows(space) || !(name in handlers)) throw notOfUnit(name)
    this.#name = name
    this.#handlers = handlers
    this.#space = space
  }

  async start(
    id: string,
    input: unknown,
    options?: RequestOptions,
  ): Promise<{ readonly id: string; readonly isNew: boolean }> {
    return (await this.#call('', { id, input }, options)) as { readonly id: string; readonly isNew: boolean }
  }

  async result(id: string, options: CallOptions = {}): Promise<unknown> {
    const before = await this.get(id, options)
    if (before === undefined) throw missing(this.#name, id)
    const instance = isEnd(before) ? before : await this.#end(id, options)
    if (instance.status === 'done') return instance.result
    throw failed(this.#name, instance)
  }

  async get(id: string, options?: CallOptions): Promise<InstanceRow | undefined> {
    return (await this.#space.get(this.#name, { id }, options)) as InstanceRow | undefined
  }

  async send(id: string, name: string, data: unknown, options?: RequestOptions): Promise<boolean> {
    return (await this.#call('-send', { id, name, data }, options)) === true
  }

  async cancel(id: string, options?: RequestOptions): Promise<boolean> {
    return (await this.#call('-cancel', { id }, options)) === true
  }

  async resume(id: string, options?: RequestOptions): Promise<boolean> {
    return (await this.#call('-resume', { id }, options)) === true
  }

  #call(part: string, input: object, options: RequestOptions | undefined): Promise<unknown> {
    const call: unknown = Reflect.get(this.#handlers, `${this.#name}${part}`)
    if (!isCall(call)) return Promise.reject(notOfUnit(this.#name))
    return call(input, options)
  }

  async #end(id: string, { timeout, signal }: CallOptions): Promise<InstanceRow> {
    const wait: Duration = timeout ?? waitTime
    durationMs(wait, 'timeout')
    for (;;) {
      const found = await this.#space.read(this.#name, { id, status: { in: endStatuses } }, { wait, signal })
      if (found !== undefined) return found as InstanceRow
      const present = await this.get(id)
      if (present === undefined) throw missing(this.#name, id)
      if (timeout !== undefined) throw notYet(this.#name, present, timeout)
    }
  }
}

function isEnd({ status }: InstanceRow): boolean {
  return endStatuses.some((one) => one === status)
}

function isRows(space: object): space is Rows {
  return 'get' in space && typeof space.get === 'function' && 'read' in space && typeof space.read === 'function'
}

function isCall(call: unknown): call is Call {
  return typeof call === 'function'
}

function notOfUnit(name: string): PlenumError {
  return new PlenumError(
    'HANDLER_UNKNOWN',
    `The unit of this client does not have the workflow '${name}'. Give it the workflow's parts: unit(name, { entries: [...${name}.entries], … }, { handlers: ${name}.handlers, workers: ${name}.workers }).`,
    { details: { kind: 'workflow', name } },
  )
}

function missing(name: string, id: string): PlenumError {
  return new PlenumError('ENTRY_MISSING', `Workflow '${name}' has no instance '${id}'. Start it before.`, {
    details: { type: name, key: { id } },
  })
}

function notYet(name: string, { id, status, trouble }: InstanceRow, timeout: string): PlenumError {
  const why = trouble === null ? '' : ` (${trouble.message})`
  return new PlenumError(
    'TIMEOUT',
    `Instance '${id}' of workflow '${name}' has not ended within ${timeout}: it is ${status}${why}. It goes on.`,
    { details: { workflow: name, id, status, trouble } },
  )
}

function failed(name: string, { id, status, error }: InstanceRow): PlenumError {
  const where = error?.step === undefined || error.step === null ? '' : ` in step '${error.step}'`
  const why = status === 'cancelled' ? 'was cancelled.' : `has failed${where}: ${error?.message ?? ''}`
  return new PlenumError('WORKFLOW_FAILED', `Instance '${id}' of workflow '${name}' ${why}`, {
    details: { workflow: name, id, status, ...error },
  })
}
