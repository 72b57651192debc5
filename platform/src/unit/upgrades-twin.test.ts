import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { FaultJournal } from '../partition/contract/fault-stream.ts'
import { PartitionBench, type Member } from '../partition/contract/partition-bench.ts'
import { recover } from '../partition/index.ts'
import { entry, upgrade, type Command, type StoredValue, type Upgrade } from '../space/index.ts'
import { resolveUnit } from './resolve-unit.ts'
import { unit, unitDefinition } from './unit.ts'
import { UnitLogic } from './unit-logic.ts'

/** One schema of a chain: its number fields, and the upgrades that lie behind it. */
interface Version {
  readonly fields: readonly { readonly name: string; readonly byDefault: number | undefined }[]
  readonly upgrades: readonly Upgrade[]
}

/** How the next version differs; numbers pick fields. */
const move = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), byDefault: fc.integer({ min: -9, max: 9 }) }),
  fc.record({ kind: fc.constantFrom('rename' as const, 'scale' as const, 'drop' as const), at: fc.nat(9) }),
  fc.record({ kind: fc.constant('merge' as const), at: fc.nat(9), with: fc.nat(9) }),
)
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('write' as const), id, from: fc.integer({ min: -99, max: 99 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      id,
      at: fc.nat(9),
      by: fc.integer({ min: -9, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('snapshot' as const, 'stop' as const, 'kill' as const) }) },
)
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never

type Step = (value: StoredValue) => StoredValue

const schemaOf = ({ fields }: Version): z.ZodObject =>
  z.object({
    id: z.string(),
    ...Object.fromEntries(
      fields.map(({ name, byDefault }) => [name, byDefault === undefined ? z.int() : z.int().default(byDefault)]),
    ),
  })

/** The version after a move, and what becomes of each value. */
function after(before: Version, number: number, next: Move): { readonly version: Version; readonly step: Step } {
  const name = `f${number}`
  const { fields, upgrades } = before
  if (next.kind === 'add') {
    const { byDefault } = next
    return {
      version: { fields: [...fields, { name, byDefault }], upgrades },
      step: (value) => ({ ...value, [name]: byDefault }),
    }
  }
  const field = fields[next.at % fields.length]!.name
  const other = next.kind === 'merge' ? fields[next.with % fields.length]!.name : field
  const gone = new Set(next.kind === 'scale' ? [] : [field, other])
  const isAdded = next.kind === 'rename' || next.kind === 'merge'
  const step: Step = (value) => {
    const [one, two] = [Number(value[field]), Number(value[other])]
    const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !gone.has(key)))
    if (next.kind === 'scale') return { ...rest, [field]: one * 2 + 1 }
    return isAdded ? { ...rest, [name]: next.kind === 'merge' ? one * 31 + two : one } : rest
  }
  const later = fields.filter((one) => !gone.has(one.name))
  return {
    version: {
      fields: isAdded ? [...later, { name, byDefault: undefined }] : later,
      upgrades: [...upgrades, upgrade(schemaOf(before), step)],
    },
    step,
  }
}

/** The unit of a version, on a stream of its own. */
class Chain {
  readonly #bench = new PartitionBench({ shared: false, limits: { snapshotSliceMs: 1 } })
  #member: Member | undefined

  async start(version: Version): Promise<void> {
    const [first] = version.fields
    const options = { id: 'id', upgrades: version.upgrades, indexes: first === undefined ? [] : [[first.name]] }
    const Item = entry('item', schemaOf(version), options as { id: 'id' })
    const { runtime, limits } = this.#bench
    const parts = resolveUnit(unitDefinition(unit('chain', { entries: [Item] }, {})), {
      runtime,
      limits,
      checkAll: true,
    })
    const logic = new UnitLogic({
      parts,
      limits,
      random: runtime.random,
      newId: () => '',
      partition: 0,
      partitionOf: () => 0,
      runsWork: false,
      outside: () => undefined,
      showFaults: true,
      onFault: () => {},
    })
    this.#member = await this.#bench.primary(1, logic)
  }

  async submit(command: Command): Promise<unknown> {
    return this.#member?.partition.submit({ command })
  }

  async snapshot(): Promise<void> {
    await this.#member?.partition.snapshot()
  }

  async end(kind: 'stop' | 'kill'): Promise<void> {
    if (kind === 'stop') await this.#member?.partition.close()
    else this.#member?.partition.drop()
  }

  /** The hash of the state, and of what snapshot and journal give without any code. */
  async hashes(): Promise<readonly [string | undefined, string]> {
    const { stream, journalId, runtime, limits } = this.#bench
    const journal = new FaultJournal(stream, false)
    const replica = await recover({ journal, journalId, runtime, limits, onEvent: () => {} })
    return [this.#member?.partition.replica?.hash(), replica.hash()]
  }
}

async function perform(chain: Chain, version: Version, twin: Map<string, StoredValue>, one: Act): Promise<void> {
  const names = version.fields.map(({ name }) => name)
  switch (one.kind) {
    case 'write': {
      const value = { id: one.id, ...Object.fromEntries(names.map((name, at) => [name, one.from + at])) }
      twin.set(one.id, value)
      await chain.submit({ kind: 'write', type: 'item', value, options: {} })
      return
    }
    case 'change': {
      const name = names[one.at % Math.max(1, names.length)]
      const value = twin.get(one.id)
      if (name === undefined || value === undefined) return
      twin.set(one.id, { ...value, [name]: Number(value[name]) + one.by })
      const mutations = { add: { [name]: one.by } }
      await chain.submit({ kind: 'change', type: 'item', key: { id: one.id }, mutations, options: {} })
      return
    }
    case 'remove':
      twin.delete(one.id)
      await chain.submit({ kind: 'remove', type: 'item', key: { id: one.id }, options: {} })
      return
    case 'snapshot':
      return chain.snapshot()
    case 'stop':
    case 'kill':
      await chain.end(one.kind)
      await chain.start(version)
  }
}

async function compare(chain: Chain, { fields }: Version, twin: ReadonlyMap<string, StoredValue>): Promise<void> {
  const values = [...twin.values()].toSorted((one, other) => (String(one['id']) < String(other['id']) ? -1 : 1))
  const options = { orderBy: { id: 'asc' } } as const
  expect(await chain.submit({ kind: 'readAll', type: 'item', where: {}, options })).toEqual(values)
  const name = fields[0]?.name
  if (name === undefined) return
  const where = { [name]: { gte: 0 } }
  const found = values.filter((value) => Number(value[name]) >= 0)
  expect(await chain.submit({ kind: 'readAll', type: 'item', where, options })).toEqual(found)
}

test('[UN10] entries of a random chain of schemas are read as if all of them had been rewritten at each upgrade', async () => {
  const acts = fc.array(act, { maxLength: 8 })
  const versions = fc.array(fc.record({ move, acts }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(acts, versions, async (first, later) => {
      const chain = new Chain()
      const twin = new Map<string, StoredValue>()
      let version: Version = {
        fields: [
          { name: 'n', byDefault: undefined },
          { name: 'm', byDefault: 3 },
        ],
        upgrades: [],
      }
      await chain.start(version)
      for (const one of first) await perform(chain, version, twin, one)
      for (const [number, next] of later.entries()) {
        if (next.move.kind !== 'add' && version.fields.length === 0) continue
        await chain.end(number % 2 === 0 ? 'stop' : 'kill')
        const { version: nextVersion, step } = after(version, number, next.move)
        version = nextVersion
        for (const [key, value] of twin) twin.set(key, step(value))
        await chain.start(version)
        await compare(chain, version, twin)
        for (const one of next.acts) {
          await perform(chain, version, twin, one)
          await compare(chain, version, twin)
        }
        const [own, folded] = await chain.hashes()
        expect(own).toBe(folded)
      }
    }),
    { numRuns: 60 },
  )
})
