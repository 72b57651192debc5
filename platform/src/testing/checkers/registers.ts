import { canonicalText } from './canonical.ts'
import { undecided, violation, type CheckResult } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import { eventsOf, operationsOf, type RecordedOperation } from './operations.ts'
import { conflictAround, searchOrder, type SequentialModel } from './search-order.ts'

/** Options of `checkRegisters`. */
export interface RegisterOptions {
  /** Configurations that the search may look at for each key; 200,000 unless told. */
  readonly budget?: number | undefined
  /** How often each register may have lost what it held by itself, at any time; never unless told. */
  readonly vanishings?: number | undefined
}

/** How much was checked. */
export interface RegisterCounts {
  readonly keys: number
  readonly operations: number
  readonly steps: number
}

const searchBudget = 200_000

/** One register: what it holds as canonical text, null if it holds nothing, and its version where versions are told. */
interface Register {
  readonly text: string | null
  readonly version: number
}

const nothing: Register = { text: null, version: 0 }
const registerFunctions = new Set(['read', 'write', 'cas', 'insert', 'update', 'take', 'delete'])

/**
 * Linearizability of registers, each key on its own: `read`, `write`, `cas`, `insert`, `update`, `take`, `delete`, with
 * versions where completions carry them. Failed conditions (MISMATCH, ENTRY_EXISTS, ENTRY_MISSING) are observations as
 * well; any other failure did nothing, and an unknown outcome takes effect at any later time or never.
 */
export function checkRegisters(
  history: readonly HistoryEvent[],
  options: RegisterOptions = {},
): CheckResult<RegisterCounts, HistoryEvent> {
  const budget = options.budget ?? searchBudget
  const vanishings = Array.from({ length: options.vanishings ?? 0 }, (_, at) => vanishing(at))
  const byKey = Map.groupBy(operationsOf(history).filter(isTelling), ({ key }) => key)
  let operations = 0
  let steps = 0
  let open: string | undefined
  for (const [key, ofKey] of byKey) {
    const outcome = searchOrder(modelOf(ofKey), [...ofKey, ...vanishings], budget)
    operations += ofKey.length
    steps += outcome.steps
    if (outcome.kind === 'undecided') open ??= key
    if (outcome.kind !== 'impossible') continue
    const { at, states } = outcome
    const why =
      `No order of the operations on '${key}' explains operation ${at.op}, ${described(at)}: ` +
      `the register could be ${states.join(' or ')}.`
    return violation(why, eventsOf(history, conflictAround(ofKey, at)))
  }
  if (open !== undefined) return undecided(`Register '${open}'`, budget)
  return { ok: true, keys: byKey.size, operations, steps }
}

/** Operations that change a register or say something about it. */
function isTelling({ f, completion }: RecordedOperation): boolean {
  if (!registerFunctions.has(f)) return false
  if (completion.kind === 'fail') return observedFailure(f) === completion.error
  return completion.kind === 'ok' || f !== 'read'
}

/** A removal that nobody asked for: it happens at any time, or never. */
function vanishing(at: number): RecordedOperation {
  return {
    op: -1 - at,
    f: 'delete',
    key: '',
    input: undefined,
    session: undefined,
    request: undefined,
    invoked: -1,
    completed: Infinity,
    known: false,
    completion: { kind: 'unknown' },
    events: [],
  }
}

function observedFailure(f: string): string | undefined {
  if (f === 'cas') return 'MISMATCH'
  if (f === 'insert') return 'ENTRY_EXISTS'
  return f === 'update' ? 'ENTRY_MISSING' : undefined
}

/** A value that nobody was told and nobody compares with is as good as any other such value. */
const unseen = 'a value that nobody saw'

function modelOf(operations: readonly RecordedOperation[]): SequentialModel<Register, RecordedOperation> {
  const versioned = operations.some(({ completion }) => completion.kind === 'ok' && completion.version !== undefined)
  const seen = new Set(operations.flatMap(seenBy))
  const put = (register: Register, value: unknown): Register => {
    const text = textOf(value)
    return { text: seen.has(text) ? text : unseen, version: versioned ? register.version + 1 : 0 }
  }
  const name = (value: unknown): string => (seen.has(textOf(value)) ? canonicalText(value) : unseen)
  return {
    initial: nothing,
    step: (register, operation) => step(register, operation, put),
    text: ({ text, version }) => (versioned && text !== null ? `${text} in version ${version}` : (text ?? 'nothing')),
    kin: ({ f, input }) => (f === 'cas' ? `cas ${canonicalText(input)}` : `${f} ${name(input)}`),
  }
}

/** The texts that an operation tells of or compares with. */
function seenBy({ f, input, completion }: RecordedOperation): readonly (string | null)[] {
  const told = completion.kind === 'ok' && (f === 'read' || f === 'take') ? [textOf(completion.value)] : []
  return f === 'cas' ? [...told, textOf(pairOf(input)[0])] : told
}

function step(
  register: Register,
  operation: RecordedOperation,
  after: (register: Register, value: unknown) => Register,
): Register | undefined {
  const { f, input, completion } = operation
  if (completion.kind === 'fail') return conditionFails(register, operation) ? register : undefined
  const put = (value: unknown): Register | undefined => {
    const next = after(register, value)
    return fitsVersion(next, completion) ? next : undefined
  }
  switch (f) {
    case 'write':
      return put(input)
    case 'insert':
      return register.text === null ? put(input) : undefined
    case 'update':
      return register.text === null ? undefined : put(input)
    case 'cas': {
      const [expected, value] = pairOf(input)
      return register.text === textOf(expected) ? put(value) : undefined
    }
    case 'read':
      return answers(register, completion) ? register : undefined
    case 'take':
      return answers(register, completion) ? nothing : undefined
    default: {
      const told = completion.kind === 'ok' ? completion.value : undefined
      return typeof told === 'boolean' && told !== (register.text !== null) ? undefined : nothing
    }
  }
}

/** True if the register is what a read or a take was told; nobody was told the answer of an unknown one. */
function answers(register: Register, completion: RecordedOperation['completion']): boolean {
  if (completion.kind !== 'ok') return true
  if (register.text !== textOf(completion.value)) return false
  return register.text === null || fitsVersion(register, completion)
}

function fitsVersion(register: Register, completion: RecordedOperation['completion']): boolean {
  return completion.kind !== 'ok' || completion.version === undefined || completion.version === register.version
}

function conditionFails(register: Register, { f, input }: RecordedOperation): boolean {
  switch (f) {
    case 'cas':
      return register.text !== textOf(pairOf(input)[0])
    case 'insert':
      return register.text !== null
    default:
      return register.text === null
  }
}

function pairOf(input: unknown): readonly unknown[] {
  return Array.isArray(input) ? input : [undefined, undefined]
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : canonicalText(value)
}

function described({ f, input, completion }: RecordedOperation): string {
  const asked = input === undefined ? f : `${f} ${canonicalText(input)}`
  if (completion.kind === 'fail') return `${asked}, which failed with ${completion.error ?? 'no code'}`
  if (completion.kind === 'unknown') return asked
  const version = completion.version === undefined ? '' : ` in version ${completion.version}`
  return `${asked}, answered ${canonicalText(completion.value)}${version}`
}
