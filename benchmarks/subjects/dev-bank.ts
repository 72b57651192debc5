import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { develop, type Development } from 'plenum'
import type { Subject } from '../harness/remote.ts'
import type threadBank from './thread-bank-unit.ts'

export interface DevBankOptions {
  readonly accounts: number
  readonly partitions: number
  readonly folder: string
}

/** Entries that one call writes. */
const batch = 1_000
/** Where the copy of the unit's file lies: below this folder, so that it finds its packages. */
const here = import.meta.dirname

/** A unit under development, edited again and again. */
export class DevBank implements Subject {
  readonly #bank: Development<typeof threadBank>
  readonly #file: string
  #edits = 0
  #reloaded: ((ms: number) => void) | undefined

  constructor(bank: Development<typeof threadBank>, file: string) {
    this.#bank = bank
    this.#file = file
  }

  /** Milliseconds from the write of the unit's file to the first answer of the new code, a call being open all the time. */
  async edit(): Promise<number> {
    const reloaded = new Promise<number>((resolve) => (this.#reloaded = resolve))
    const source = await readFile(this.#file, 'utf8')
    this.#edits += 1
    const began = performance.now()
    await writeFile(this.#file, `${source}// edit ${this.#edits}\n`)
    await reloaded
    await this.#bank.client.handlers.move({ id: 1, by: 1 })
    return performance.now() - began
  }

  /** The unit was replaced. */
  told(ms: number): void {
    this.#reloaded?.(ms)
  }

  /** Rejects if an entry was lost. */
  async check(accounts: number): Promise<void> {
    const found = await this.#bank.client.space.count('account', {})
    if (found !== accounts) throw new Error(`${found} of ${accounts} accounts are there.`)
  }

  async close(): Promise<void> {
    await this.#bank[Symbol.asyncDispose]()
  }
}

/** Copies the unit's file into the folder, and runs it from there. */
export async function openDevBank({ accounts, partitions, folder }: DevBankOptions): Promise<DevBank> {
  const file = join(folder, 'unit.ts')
  await cp(join(here, 'thread-bank-unit.ts'), file)
  // The copy lies in a folder without packages.
  const source = await readFile(file, 'utf8')
  await writeFile(
    file,
    ['plenum', 'zod'].reduce(
      (text, name) => text.replace(`from '${name}'`, `from '${import.meta.resolve(name)}'`),
      source,
    ),
  )
  const opened: { bank?: DevBank } = {}
  const bank = await develop<typeof threadBank>({
    unit: pathToFileURL(file),
    folder: join(folder, 'data'),
    partitions,
    onEvent: ({ event }) => {
      if (event.kind === 'reloaded') opened.bank?.told(event.ms)
    },
  })
  for (let from = 0; from < accounts; from += batch) {
    const values = Array.from({ length: Math.min(batch, accounts - from) }, (_, at) => ({ id: from + at, balance: 0 }))
    await bank.client.space.writeAll('account', values)
  }
  opened.bank = new DevBank(bank, file)
  return opened.bank
}
