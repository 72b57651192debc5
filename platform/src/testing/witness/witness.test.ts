import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { checkedLimits, defaultLimits, PlenumError } from '../../kernel/index.ts'
import type { Found } from '../../journal/index.ts'
import { MemoryJournal } from '../../journal/memory/memory-engine.ts'
import { askNobody, Partition, recover, type Execution, type Logic, type LogicCommand } from '../../partition/index.ts'
import { Router, type PartitionChannel } from '../../router/index.ts'
import { World } from '../../runtime/simulated/index.ts'
import { entry, firstUnitTable, type Command } from '../../space/index.ts'
import { handler, resolveUnit, unit, unitDefinition, UnitLogic } from '../../unit/index.ts'
import { chance } from '../generators/choices.ts'
import {
  drawItemProfile,
  groupOf,
  ItemCommands,
  type ItemCommand,
  type ItemProfile,
} from '../generators/item-commands.ts'
import { checkSessions } from '../checkers/sessions.ts'
import { dumpOf, JournalHistory, type JournaledRecord } from './journal-history.ts'
import { ReplyRecorder, type WitnessedReply } from './reply-recorder.ts'
import { checkStates, claimOf, differences, foldFromZero, naiveStateAt } from './state-equality.ts'
import { checkReplies } from './witness.ts'

const Item = entry(
  'item',
  z.object({
    id: z.string(),
    group: z.string(),
    n: z.int(),
    note: z.string().nullable().optional(),
    size: z.object({ width: z.int(), height: z.int().optional() }),
    tags: z.array(z.string()),
  }),
  { id: 'id', route: 'group', indexes: [['group', 'n'], ['note'], ['size.width', 'n'], ['size.height']] },
)

const shop = unit(
  'shop',
  { entries: [Item] },
  {
    handlers: {
      /** Moves `n` between two items of a group; refuses where there is too little. */
      move: handler(
        {
          input: z.object({ group: z.string(), from: z.string(), to: z.string(), n: z.int() }),
          route: 'group',
          refusals: { TOO_LITTLE: z.object({ has: z.int() }) },
        },
        ({ group, from, to, n }, { partition, refuse }) => {
          const source = partition.get(Item, { id: from, group })
          if (source === undefined || source.n < n) throw refuse('TOO_LITTLE', { has: source?.n ?? 0 })
          partition.change(Item, { id: from, group }, { add: { n: -n } })
          if (from === to) throw new Error('a defect of the unit')
          return partition.change(Item, { id: to, group }, { add: { n } })
        },
      ),
      stampNow: handler({ input: z.object({ group: z.string() }), route: 'group' }, (_, { now }) => now),
    },
  },
)

const limits = checkedLimits({ ...defaultLimits, valueBytesMax: 400, batchBytes: 300 })

interface Rig {
  readonly world: World
  readonly router: Router
  readonly recorder: ReplyRecorder
  readonly partitions: readonly Partition[]
  readonly unit: ReturnType<typeof resolveUnit>
  readonly history: (partition: number) => Promise<JournalHistory>
  readonly records: (partition: number) => Promise<readonly Found[]>
  readonly options: (partition: number) => ConstructorParameters<typeof Partition>[0]
}

interface Defects {
  /** Stands between the unit's logic and its machine. */
  readonly execute?: (execution: Execution, command: LogicCommand) => unknown
  /** Stands between the recorder and the partition. */
  readonly channel?: (channel: PartitionChannel) => PartitionChannel
}

/** Two partitions over memory journals, and a client whose tries are recorded. */
async function newRig(seed: number, defects: Defects = {}): Promise<Rig> {
  const world = new World({ seed })
  const runtime = world.member('alone').runtime()
  const resolved = resolveUnit(unitDefinition(shop), { runtime, limits, checkAll: true })
  const options = [0, 1].map((number) => {
    const parts = {
      parts: resolved,
      limits,
      random: runtime.random,
      newId: () => 'id',
      partition: number,
      partitionOf: () => 0,
      outside: () => undefined,
      runsWork: true,
    }
    const logic: Logic = new UnitLogic({ ...parts, showFaults: true, onFault: () => {} })
    return {
      number,
      journal: new MemoryJournal(),
      journalId: runtime.random.bytes(16),
      logic: defects.execute === undefined ? logic : withDefect(logic, defects.execute),
      member: 1,
      incarnation: 1,
      runtime,
      limits,
      reference: () => runtime.clock.wall(),
      ask: askNobody,
      onEvent: () => {},
    }
  })
  const partitions = options.map((one) => new Partition(one))
  await Promise.all(partitions.map((partition) => partition.startAlone()))
  const recorder = new ReplyRecorder((partition) => partitions[partition]!.replica!.fold.head.index)
  const channels = partitions.map((partition, number) => {
    const channel = { partition: number, sharesFate: false, send: partition.submit.bind(partition) }
    return recorder.watch(defects.channel?.(channel) ?? channel)
  })
  const records = async (partition: number): Promise<readonly Found[]> => {
    const found: Found[] = []
    for await (const one of options[partition]!.journal.read(1)) found.push(one)
    return found
  }
  return {
    world,
    recorder,
    partitions,
    unit: resolved,
    router: new Router(channels, runtime, limits),
    records,
    options: (partition) => options[partition]!,
    history: async (partition) => {
      const history = new JournalHistory(partition)
      const { journalId } = options[partition]!
      const replica = { journal: journalId, digest: runtime.digest.bind(runtime), limits, keepRecent: false }
      foldFromZero({ ...replica, observe: history.observe }, await records(partition))
      return history
    },
  }
}

function withDefect(logic: Logic, execute: NonNullable<Defects['execute']>): Logic {
  return {
    hash: logic.hash,
    layouts: logic.layouts,
    workers: logic.workers,
    schedules: logic.schedules,
    projections: logic.projections,
    sinks: logic.sinks,
    bind: (machine, projections) => {
      const execution = logic.bind(machine, projections)
      return {
        execute: (command) => execute(execution, command),
        takeSent: () => execution.takeSent(),
        get dependency() {
          return execution.dependency
        },
        set dependency(index: number) {
          execution.dependency = index
        },
        get observer() {
          return execution.observer
        },
        set observer(observer) {
          execution.observer = observer
        },
      }
    },
  }
}

const caller = { kind: 'client', subject: 'test', claims: {} } as const

/** Random commands, some at once, some twice under one key; time passes now and then, so that leases end. */
async function drive(rig: Rig, count: number, given?: ItemProfile): Promise<void> {
  const random = rig.world.random.fork('drive')
  const commands = new ItemCommands(random, given ?? drawItemProfile(random, 'item'))
  const send = async (command: Command & (ItemCommand | { kind: 'call' }), route: unknown, key?: string) => {
    const answered = rig.router.route(route, command, key === undefined ? {} : { key, timeoutMs: 1_000 })
    await answered.then(
      (value) => (command.kind === 'call' ? undefined : commands.learn(command, value)),
      (error: unknown) => expect(error).toBeInstanceOf(PlenumError),
    )
  }
  for (let n = 0; n < count; n += 4) {
    const at = n
    const several = Array.from({ length: 4 }, (_, i) => {
      const command = commands.next()
      const route = groupOf(command)
      if (chance(random, 0.2)) {
        const ids = [`item-${random.integer(2)}`, `item-${random.integer(3)}`]
        const input = { group: route, from: ids[0], to: ids[1], n: random.integer(60) }
        const call = chance(random, 0.9)
          ? { kind: 'call', handler: 'move', input, caller }
          : { kind: 'call', handler: 'stampNow', input: { group: route }, caller }
        return send(call as Command & { kind: 'call' }, route)
      }
      if (!chance(random, 0.2)) return send(command, route)
      return Promise.all([send(command, route, `key-${at + i}`), send(command, route, `key-${at + i}`)])
    })
    await rig.world.complete(Promise.all(several))
    if (chance(random, 0.2)) await rig.world.runFor(random.integer(300))
  }
}

async function verdictOf(rig: Rig, replies: readonly WitnessedReply[] = rig.recorder.replies) {
  const histories = await Promise.all([0, 1].map((partition) => rig.history(partition)))
  return checkReplies(histories, replies, { unit: rig.unit })
}

/** What a checker found wrong; empty if nothing. */
function whyNot(result: { readonly ok: boolean; readonly why?: string }): string {
  return result.ok ? '' : (result.why ?? 'no reason')
}

/** Answers a read with what the one before it with the same question was told. */
function staleReads(channel: PartitionChannel): PartitionChannel['send'] {
  const answers = new Map<string, unknown>()
  return async (request) => {
    const answer = await channel.send(request)
    if (request.command.kind !== 'get') return answer
    const question = JSON.stringify(request.command)
    const before = answers.get(question) ?? answer
    answers.set(question, answer)
    return before
  }
}

/** Every operation, few entries, many conditions: whatever is wrong shows soon. */
const busy: ItemProfile = {
  type: 'item',
  ids: 3,
  groups: 3,
  heat: 1,
  weights: {
    get: 2,
    read: 1,
    readAll: 2,
    count: 1,
    insert: 2,
    write: 2,
    update: 1,
    patch: 2,
    change: 1,
    remove: 2,
    aggregate: 1,
    explain: 1,
    take: 1,
    takeAll: 1,
    clear: 1,
    renew: 1,
    batch: 1,
  },
  leased: 0.1,
  leaseMsMax: 2_000,
  conditional: 0.5,
  noteLengthMax: 20,
}

describe('the journal is the witness', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    "[A1] [A3] [SP1] [SP2] [SP3] [SP4] [SP6] [SP7] [SP8] [SP10] [SP12] every answer of random commands is the naive twin's, seed %i",
    async (seed) => {
      const rig = await newRig(seed)
      await drive(rig, 400)
      const result = await verdictOf(rig)
      expect(whyNot(result)).toBe('')
      if (!result.ok) return
      expect(result.judged).toBeGreaterThan(250)
      expect(result.untold).toBeLessThan(result.judged / 4)
      const dump = (await Promise.all([0, 1].map((partition) => rig.history(partition)))).flatMap(dumpOf)
      expect(dump.filter(({ kind }) => kind === 'answered').length).toBeGreaterThan(50)
      expect(checkSessions([], dump).ok).toBe(true)
    },
  )

  test.each<readonly [string, Defects, string]>([
    [
      '[SP2] a condition that is ignored',
      {
        execute: (execution, command) =>
          'options' in command && 'ifStamp' in command.options
            ? execution.execute({ ...command, options: { ...command.options, ifStamp: undefined } } as LogicCommand)
            : execution.execute(command),
      },
      'STAMP_CONFLICT',
    ],
    [
      '[SP1] an insert that overwrites',
      {
        execute: (execution, command) =>
          execution.execute(command.kind === 'insert' ? { ...command, kind: 'write' } : command),
      },
      'was answered',
    ],
    [
      '[SP1] a patch that does nothing',
      {
        execute: (execution, command) =>
          execution.execute(command.kind === 'patch' ? { ...command, fields: {} } : command),
      },
      'made other effects',
    ],
    [
      '[A1] a query that misses an entry',
      {
        execute: (execution, command) => {
          const answer = execution.execute(command)
          return command.kind === 'readAll' && Array.isArray(answer) && answer.length > 1 ? answer.slice(1) : answer
        },
      },
      'no state',
    ],
    [
      '[A3] a read that is answered from an older state',
      { channel: (channel) => ({ ...channel, send: staleReads(channel) }) },
      'no state',
    ],
    [
      '[A1] a write that was acked and never sent',
      {
        channel: (channel) => ({
          ...channel,
          send: (request) => (request.command.kind === 'remove' ? Promise.resolve(false) : channel.send(request)),
        }),
      },
      'the journal does not hold it',
    ],
    [
      '[SP12] an answer that is not the one that was kept',
      {
        channel: (channel) => ({
          ...channel,
          send: async (request) => {
            const answer = await channel.send(request)
            return typeof answer === 'object' && answer !== null && 'version' in answer
              ? { ...answer, version: Number(answer.version) + 1 }
              : answer
          },
        }),
      },
      'the journal keeps',
    ],
  ])('found: %s', async (_, defects, why) => {
    const rig = await newRig(1, defects)
    await drive(rig, 400, busy)
    const result = await verdictOf(rig)
    expect(result).toMatchObject({ ok: false, decided: true })
    expect(result).toHaveProperty('why', expect.stringContaining(why))
  })

  test('[A3] found: an answer that left before its record was accepted', async () => {
    const rig = await newRig(8)
    await drive(rig, 40)
    const early = rig.recorder.replies.map((reply) => ({ ...reply, to: reply.to - 1 }))
    expect(await verdictOf(rig)).toMatchObject({ ok: true })
    expect(await verdictOf(rig, early)).toHaveProperty('why', expect.stringContaining('was the last accepted'))
  })

  test('[SP12] [A5] [TI1] found: a request that took effect twice, a gap, time that goes back, an effect that cannot be', async () => {
    const rig = await newRig(1)
    await drive(rig, 100, busy)
    const { records } = await rig.history(0)
    const check = (changed: readonly JournaledRecord[]) =>
      whyNot(checkReplies([{ partition: 0, records: changed }], []))
    const last = records.at(-1)!
    const at = records.findIndex(({ commands }) => commands.some(({ kind }) => kind === 'request'))
    expect(check(records)).toBe('')
    expect(check([...records, { ...records[at]!, index: last.index + 1, time: last.time }])).toContain('and again at')
    expect(check(records.toSpliced(at, 1))).toContain('follows record')
    expect(check(records.with(at, { ...records[at]!, time: 0 }))).toContain('time goes back')
    const gone = {
      kind: 'remove',
      table: firstUnitTable,
      reason: 'removed',
      key: { id: 'nobody', group: 'g' },
    } as const
    const odd = { ...last, commands: [{ kind: 'unnamed', effects: [gone] } as const] }
    expect(check(records.with(-1, odd))).toContain('an effect that cannot be')
  })

  test('[SP8] [TI2] found: an entry that expires before its lease is over', async () => {
    const rig = await newRig(1)
    const value = { id: 'a', group: 'g', n: 1, size: { width: 1 }, tags: [] }
    const partition = rig.router.partitionOf('g')
    const options = { leaseMs: 500 }
    await rig.world.complete(rig.router.route('g', { kind: 'insert', type: 'item', value, options }, { key: 'k' }))
    await rig.world.runFor(600)
    await rig.world.complete(rig.router.route('g', { kind: 'write', type: 'item', value, options: {} }, { key: 'l' }))
    const { records } = await rig.history(partition)
    expect(whyNot(checkReplies([{ partition, records }], rig.recorder.replies))).toBe('')
    const hasty = records.map((record) => ({ ...record, time: records[0]!.time }))
    expect(whyNot(checkReplies([{ partition, records: hasty }], []))).toContain('its lease ends at')
  })
})

describe('states that must be the same', () => {
  test('[A1] [A5] [JR7] live = fold from zero = snapshot and tail = the naive twin', async () => {
    const rig = await newRig(1)
    await drive(rig, 200, busy)
    await rig.world.complete(rig.partitions[0]!.snapshot())
    await drive(rig, 100, busy)
    const options = rig.options(0)
    const { runtime, journalId } = options
    const found = await rig.records(0)
    const replicaOptions = { journal: journalId, digest: runtime.digest.bind(runtime), limits, keepRecent: false }
    const zero = foldFromZero(replicaOptions, found)
    const recovered = await recover({ ...options, onEvent: () => {} })
    const claims = [
      claimOf('live', 0, rig.partitions[0]!.replica!),
      claimOf('fold from zero', 0, zero),
      claimOf('snapshot and tail', 0, recovered),
    ]
    expect(checkStates(claims)).toEqual({ ok: true, claims: 3, compared: 2 })
    const history = await rig.history(0)
    expect(differences(naiveStateAt(history, zero.fold.head.index), zero.machine)).toEqual([])
    const early = foldFromZero(replicaOptions, found.slice(0, -30))
    expect(differences(naiveStateAt(history, early.fold.head.index), early.machine)).toEqual([])
    expect(differences(naiveStateAt(history, zero.fold.head.index), early.machine).length).toBeGreaterThan(1)
    const forged = { ...claims[2]!, hash: '0' }
    expect(whyNot(checkStates([...claims, forged]))).toContain('live has the state')
  })
})

test('[SP12] a journal dump ends the effects of each request with its answer', async () => {
  const rig = await newRig(1)
  const value = { id: 'a', group: 'g', n: 1, size: { width: 1 }, tags: [] }
  const send = (command: Command, key: string) => rig.world.complete(rig.router.route('g', command, { key }))
  await send({ kind: 'insert', type: 'item', value, options: {} }, 'k')
  await send({ kind: 'insert', type: 'item', value, options: {} }, 'l').catch(() => undefined)
  await send({ kind: 'remove', type: 'item', key: { id: 'a', group: 'g' }, options: {} }, 'm')
  const lines = dumpOf(await rig.history(rig.router.partitionOf('g')))
  expect(lines.map(({ kind, key, version, request }) => [kind, key, version, request])).toEqual([
    ['open', undefined, undefined, undefined],
    ['upgrade', undefined, undefined, undefined],
    ['added', 'a', 1, 'k'],
    ['answered', undefined, undefined, 'k'],
    ['answered', undefined, undefined, 'l'],
    ['removed', 'a', undefined, 'm'],
    ['answered', undefined, undefined, 'm'],
  ])
})
