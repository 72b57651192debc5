import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { embedded, entry, handler, unit, type EmbeddedOptions } from '../../index.ts'
import { defaultLimits, type Limits } from '../../kernel/index.ts'
import { openFolder } from '../../journal/file/index.ts'
import { askNobody, Partition } from '../../partition/index.ts'
import { DataLogic } from '../../partition/contract/partition-bench.ts'
import { NodeDisk, nodeRuntime } from '../../runtime/node/index.ts'

/** A folder for the folders of a test, removed at its end. */
export function home(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'plenum-past-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** What a command of the command line printed, and its exit code; what it throws is thrown. */
export async function printed(
  command: (args: readonly string[], output: never) => Promise<number>,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string }> {
  let out = ''
  const output = { out: (more: string) => void (out += more), err: () => {}, live: false }
  return { code: await command(args, output as never), out }
}

/** Partitions of plain items over a folder, started as an application is; a new folder if a number is given. */
export async function startItems(
  path: string,
  options: { readonly limits?: Partial<Limits>; readonly create?: number } = {},
) {
  const runtime = nodeRuntime()
  const limits = { ...defaultLimits, ...options.limits }
  const { create: count } = options
  const folder = await openFolder({
    disk: new NodeDisk(),
    path,
    create: count !== undefined,
    ...(count !== undefined && { partitions: count }),
    level: 'os',
    ...runtime,
    // Segments so small that a journal is cut soon.
    segmentBytesMin: 4 << 10,
    segmentBytesMax: 4 << 10,
  })
  const partitions = folder.partitions.map(
    ({ id, journal }, number) =>
      new Partition({
        number,
        journal,
        journalId: id,
        logic: new DataLogic('unit-1', limits),
        member: 1,
        incarnation: 1,
        runtime,
        limits,
        reference: () => runtime.clock.wall(),
        ask: askNobody,
        onEvent: () => {},
      }),
  )
  for (const partition of partitions) await partition.startAlone()
  return {
    partition: partitions[0]!,
    partitions,
    close: async () => {
      for (const partition of partitions) await partition.close()
      await folder.close()
    },
    kill: async () => {
      for (const partition of partitions) partition.drop()
      await folder.close()
    },
  }
}

export const Account = entry('account', z.object({ id: z.string(), balance: z.int() }), { id: 'id' })

const Sum = z.object({ id: z.string(), sum: z.int() })
const deposit = handler({ input: Sum, route: 'id' }, ({ id, sum }, { partition }) => {
  const balance = partition.get(Account, { id })?.balance ?? 0
  partition.write(Account, { id, balance: balance + sum })
})

/** Accounts between which money moves by messages and by transactions. */
export const bank = unit(
  'bank',
  { entries: [Account] },
  {
    handlers: {
      deposit,
      move: handler({ input: Sum.extend({ to: z.string() }), route: 'id' }, ({ id, to, sum }, { partition, send }) => {
        const balance = partition.get(Account, { id })?.balance ?? 0
        partition.write(Account, { id, balance: balance - sum })
        send(deposit, { id: to, sum })
      }),
    },
  },
)

export function openBank(folder: string, options: Partial<EmbeddedOptions<typeof bank>> = {}) {
  return embedded({ ...options, unit: bank, folder, ack: 'os' })
}

/** Names, sizes and contents of all files below a folder. */
export function bytesOf(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  const files = names.filter((name) => statSync(join(folder, name)).isFile())
  return new Map(files.map((name) => [name, readFileSync(join(folder, name), 'base64')]))
}
