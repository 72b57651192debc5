import { durationMs, PlenumError, xxh32 } from '../kernel/index.ts'
import { checkSchema, type CheckedSchema, type Schema } from '../space/index.ts'
import { wholeNumber, type CheckedFunction } from '../unit/index.ts'
import type { StepRetry } from './context.ts'

/** How often and how long after each other a step is tried. */
export interface RetryRule {
  readonly attempts: number
  readonly backoffMs: number
}

/** What `workflow` is given, untyped. */
export interface WorkflowDeclaration {
  readonly input: Schema
  readonly version?: number
  readonly earlier?: readonly { readonly '~': unknown }[]
  readonly messages?: Readonly<Record<string, Schema>>
  readonly uses?: unknown
  readonly concurrency?: number
  readonly timeout?: string
  readonly retry?: StepRetry
  readonly keep?: string
}

/** What holds where a workflow says nothing else. */
const usual = { concurrency: 100, timeout: '30s', attempts: 5, backoff: '1s', keep: '7d' } as const

/** The parts of a workflow have its name and a word behind it. */
const nameLengthMax = 48

/** One version of a workflow, checked once. */
export class WorkflowDefinition {
  readonly name: string
  readonly version: number
  readonly input: CheckedSchema
  readonly messages: ReadonlyMap<string, CheckedSchema>
  readonly concurrency: number
  /** Milliseconds that one attempt at a step may take. */
  readonly timeoutMs: number
  readonly retry: RetryRule
  /** Milliseconds that an instance is kept after its end; undefined is for ever. */
  readonly keepMs: number | undefined
  readonly run: CheckedFunction<[input: unknown, context: unknown]>
  /** All versions that this unit has, this one included. */
  readonly versions: ReadonlyMap<number, WorkflowDefinition>
  /** Tells the code of all versions apart from other code: the text of their functions, in short. */
  readonly code: string

  /** Throws UNIT_INVALID with what is wrong, DURATION_INVALID, and the errors of schemas that cannot be used. */
  constructor(name: string, declaration: WorkflowDeclaration, run: (input: never, context: never) => unknown) {
    checkName(name)
    const { version, messages, concurrency, timeout, retry, keep, earlier } = declaration
    if (typeof run !== 'function')
      throw new PlenumError('UNIT_INVALID', `Workflow '${name}' needs a function as its third argument.`)
    this.name = name
    this.version = wholeNumber('version', version ?? 1)
    this.input = checkSchema(declaration.input, `The input of workflow '${name}'`)
    this.messages = new Map(
      Object.entries(messages ?? {}).map(([message, schema]) => [
        message,
        checkSchema(schema, `Message '${message}' of workflow '${name}'`),
      ]),
    )
    this.concurrency = wholeNumber('concurrency', concurrency ?? usual.concurrency)
    this.timeoutMs = durationMs(timeout ?? usual.timeout, `timeout of workflow '${name}'`)
    this.retry = retryRule(name, retry ?? usual)
    this.keepMs = (keep ?? usual.keep) === 'forever' ? undefined : durationMs(keep ?? usual.keep, `keep of '${name}'`)
    this.run = run
    this.versions = joined(this, earlier ?? [])
    const texts = [...this.versions.values()].map((one) => `${one.version} ${String(one.run)}`).toSorted()
    this.code = hashOf(texts.join('\n'))
    Object.freeze(this)
  }
}

/** What a step's or a workflow's `retry` says. */
export function retryRule(name: string, { attempts, backoff }: StepRetry): RetryRule {
  return {
    attempts: wholeNumber('retry.attempts', attempts),
    backoffMs: durationMs(backoff, `backoff of '${name}'`),
  }
}

/** What `workflow` made of a declaration. UNIT_INVALID for anything else. */
export function workflowDefinition(declared: { readonly '~': unknown }): WorkflowDefinition {
  const definition = declared['~']
  if (definition instanceof WorkflowDefinition) return definition
  throw new PlenumError('UNIT_INVALID', 'A workflow is expected: what workflow(…) of this copy of plenum returned.')
}

function joined(
  newest: WorkflowDefinition,
  earlier: readonly { readonly '~': unknown }[],
): ReadonlyMap<number, WorkflowDefinition> {
  const versions = new Map([[newest.version, newest]])
  for (const one of earlier.map(workflowDefinition)) {
    const { name, version } = one
    if (name !== newest.name)
      throw invalid(newest, `names '${name}' as an earlier version of it, which is another workflow`)
    if (versions.has(version)) throw invalid(newest, `has version ${version} twice: give each version its number`)
    if (version > newest.version) throw invalid(newest, `has version ${version} as an earlier one of ${newest.version}`)
    versions.set(version, one)
  }
  return versions
}

function hashOf(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return xxh32(bytes, bytes.length).toString(16)
}

function checkName(name: string): void {
  if (typeof name === 'string' && /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && name.length <= nameLengthMax) return
  throw new PlenumError(
    'UNIT_INVALID',
    `${JSON.stringify(name)} cannot name a workflow: a name begins with a letter and has letters, digits, '-' and '_', ${nameLengthMax} at most.`,
    { details: { name } },
  )
}

function invalid({ name }: WorkflowDefinition, what: string): PlenumError {
  return new PlenumError('UNIT_INVALID', `Workflow '${name}' ${what}.`, { details: { workflow: name } })
}
