import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isPlenumError } from '../kernel/index.ts'
import { entry } from '../space/index.ts'
import { anyone } from './access.ts'
import { handler, HandlerDefinition, type Handler } from './handler.ts'
import { port } from './port.ts'
import { projection } from './projection.ts'
import { schedule } from './schedule.ts'
import { service } from './service.ts'
import { source } from './source.ts'
import { task } from './task.ts'
import { isUnit, unit, unitDefinition, type Unit } from './unit.ts'
import { worker } from './worker.ts'

/** Declare without types in the way, as plain JavaScript would. */
const declareUnit = unit as (name: string, needs: unknown, parts: unknown) => Unit
const declareHandler = handler as (declaration: unknown, run: unknown) => Handler

/** The code and the message of what `run` throws. */
function failure(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (isPlenumError(error)) return `${error.code}: ${error.message}`
    throw error
  }
  throw new Error('nothing was thrown')
}

const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), { id: 'id' })
const Order = entry('order', z.object({ id: z.string() }), { id: 'id' })
const input = z.object({ id: z.string(), by: z.int() })

function definitionOfHandler(declared: Handler): HandlerDefinition {
  const definition: unknown = declared['~']
  if (definition instanceof HandlerDefinition) return definition
  throw new Error('a handler has a definition')
}

describe('a handler', () => {
  test.for<[string, unknown]>([
    ['an async function', async () => 1],
    ['an async generator', async function* () {}],
    ['a generator', function* () {}],
    ['no function', 1],
  ])('[UN2] that is %s is HANDLER_ASYNC at its declaration', ([, run]) => {
    expect(failure(() => declareHandler({ input, route: 'id' }, run))).toMatch(
      /^HANDLER_ASYNC: A handler is a plain function, .*worker or a service/,
    )
  })

  test('[UN2a] has one route, a field that every input has', () => {
    expect(definitionOfHandler(handler({ input, route: 'id' }, ({ by }) => by)).route).toBe('id')
    const optional = input.extend({ maybe: z.string().optional() })
    for (const route of ['ids', 'maybe']) {
      expect(failure(() => declareHandler({ input: optional, route }, () => 1))).toMatch(
        /^ENTRY_FIELD_UNKNOWN: .*input has: id, by/,
      )
    }
  })

  test('[UN2b] declares its refusals by reason and schema', () => {
    const refusals = { TOO_MUCH: z.object({ left: z.int() }), CLOSED: z.object({}) }
    const { refusals: checked } = definitionOfHandler(handler({ input, route: 'id', refusals }, () => 1))
    expect([...checked.keys()]).toEqual(['TOO_MUCH', 'CLOSED'])
    expect(failure(() => handler({ input, route: 'id', refusals: { tooMuch: z.object({}) } }, () => 1))).toMatch(
      /^UNIT_INVALID/,
    )
    const dated = { LATE: z.object({ at: z.date() }) }
    expect(failure(() => handler({ input, route: 'id', refusals: dated }, () => 1))).toMatch(
      /^VALUE_NOT_PLAIN: .*refusal LATE.*'at'/,
    )
  })

  test('has a checked input, and is closed unless it is opened', () => {
    expect(definitionOfHandler(handler({ input, route: 'id' }, () => 1)).allow).toBeUndefined()
    const open = definitionOfHandler(handler({ input, route: 'id', allow: anyone }, () => 1))
    expect(open.allow?.({ kind: 'client', subject: 'ann', claims: {} }, { id: 'x', by: 1 })).toBe(true)
    const async = z.object({ id: z.string().refine(async () => true) })
    expect(failure(() => handler({ input: async, route: 'id' }, () => 1))).toMatch(
      /^SCHEMA_ASYNC: The input of a handler/,
    )
  })
})

describe('a unit', () => {
  const parts = {
    handlers: { add: handler({ input, route: 'id' }, ({ by }) => by) },
    workers: { pay: worker({ entry: Order, where: {}, retry: { attempts: 2, backoff: '50ms' } }, async () => {}) },
    services: { quote: service({ input, allow: anyone }, async ({ by }) => by) },
    tasks: { sum: task({ input }, ({ by }) => by, (left, right) => left + right) }, // oxfmt-ignore
    projections: {
      book: projection({ of: [Order], create: () => 0, apply: () => {}, save: (n) => n, load: (n: number) => n }),
    },
    schedules: { close: schedule({ cron: '0 17 * * *', zone: 'Europe/Zurich' }, async () => {}) },
    sources: { orders: source(Order, { load: async function* () {} }) },
  }
  const needs = { entries: [Account, Order], uses: { payments: port<object>() } }

  test('[UN1] is frozen, and its definition says everything that was declared', () => {
    const bank = unit('bank', needs, parts)
    const definition = unitDefinition(bank)
    expect(Object.isFrozen(bank)).toBe(true)
    expect([...definition.entries.keys()]).toEqual(['account', 'order'])
    expect(definition.uses).toEqual(['payments'])
    const { handlers, workers, services, tasks, projections, schedules, sources } = definition
    const names = [handlers, workers, services, tasks, projections, schedules, sources].map((part) => [...part.keys()])
    expect(names).toEqual([['add'], ['pay'], ['quote'], ['sum'], ['book'], ['close'], ['orders']])
    expect(workers.get('pay')).toMatchObject({ entry: 'order', concurrency: 1, attemptsMax: 2, backoffMs: 50 })
    expect(schedules.get('close')).toMatchObject({ missed: 'once' })
    expect(sources.get('orders')).toMatchObject({ entry: 'order' })
    expect(tasks.get('sum')?.reduce(1, 2)).toBe(3)
  })

  test('[UN1] is told from anything else', () => {
    expect(isUnit(unit('bank', needs, parts))).toBe(true)
    for (const other of [undefined, null, {}, Account, { kind: 'unit', name: 'bank', '~': {} }])
      expect(isUnit(other)).toBe(false)
    expect(failure(() => unitDefinition({ kind: 'unit', name: 'bank', '~': {} }))).toMatch(/^UNIT_INVALID/)
  })

  test.for<[string, unknown, unknown, RegExp]>([
    ['a section that does not exist', needs, { handlrs: {} }, /no section 'handlrs'.*handlers, workers/],
    ['no entries', {}, {}, /needs `entries`/],
    ['no needs', undefined, {}, /needs `entries`/],
    ['an entry type twice', { entries: [Account, Account] }, {}, /two entry types 'account'/],
    ['something that is no entry type', { entries: [{}] }, {}, /entry type is expected/],
    ['something that is no port', { entries: [], uses: { a: { charge: 1 } } }, {}, /'a', which is not a port/],
    ['a part of another kind', needs, { workers: parts.handlers }, /'add' among its workers/],
    ['a bare function as a part', needs, { handlers: { add: () => 1 } }, /'add' among its handlers/],
    ['a part whose name cannot be', needs, { handlers: { 'a b': parts.handlers.add } }, /"a b" cannot name a handler/],
    [
      'a worker of a foreign entry type',
      { entries: [Account] },
      { workers: parts.workers },
      /worker 'pay' of the entry type 'order'/,
    ],
    [
      'a source of a foreign entry type',
      { entries: [Account] },
      { sources: parts.sources },
      /source 'orders' of the entry type 'order'/,
    ],
    [
      'a projection of a foreign entry type',
      { entries: [Account] },
      { projections: parts.projections },
      /projection 'book'/,
    ],
  ])('[UN1] with %s is UNIT_INVALID', ([, given, sections, message]) => {
    const text = failure(() => declareUnit('bank', given, sections))
    expect(text).toMatch(/^UNIT_INVALID: /)
    expect(text).toMatch(message)
  })

  test('[UN1] with a name that cannot be is UNIT_INVALID', () => {
    for (const name of ['', '1a', 'a.b', 'x'.repeat(65)]) {
      expect(failure(() => declareUnit(name, needs, {}))).toMatch(/^UNIT_INVALID/)
    }
  })
})
