// Tries mutants of the protocol: each is put into a copy of the repository, and seeds are played until one fails.
// `node simulation/mutants.ts [--only <name>,<name>] [--workers 2]`; exit code 1 if one survives.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { workingCopy } from '../tools/mutants/working-copy.ts'
import type { Edit, ProtocolMutant } from './protocol-mutant.ts'
import { protocolMutants } from './protocol-mutants.ts'

/** What became of a mutant. */
interface Verdict {
  readonly mutant: ProtocolMutant
  readonly found: boolean
  /** Seeds that were played, that of the failure included. */
  readonly seeds: number
  readonly how: string
  /** Real seconds. */
  readonly seconds: number
}

/** What a campaign in the copy prints. */
interface CampaignResult {
  readonly from: number
  readonly next: number
  readonly failed: readonly { readonly scenario: string; readonly seed: number; readonly message: string }[]
  readonly unmet: readonly string[]
}

export interface MutantOptions {
  readonly workers: number
  /** Names of mutants; all if empty. */
  readonly only: readonly string[]
}

/** Seeds of mutants begin here; the check's own are others. */
const firstSeed = 1

/** Tries the mutants and prints a table; the number of those that survive or do not fit. */
export async function tryMutants({ workers, only }: MutantOptions): Promise<number> {
  const chosen = protocolMutants.filter(({ name }) => only.length === 0 || only.includes(name))
  const queue = chosen.values()
  const verdicts: Verdict[] = []
  const work = async (): Promise<void> => {
    using copy = workingCopy()
    for (const mutant of queue) {
      const verdict = await tryMutant(mutant, copy.folder)
      verdicts.push(verdict)
      console.log(verdictLine(verdict))
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, chosen.length) }, work))
  const unfound = verdicts.filter(({ found }) => !found)
  // One that could not even be tried is no hole that is known.
  const holes = unfound.filter(({ mutant, seeds }) => mutant.hole !== undefined && seeds > 0)
  const survivors = unfound.length - holes.length
  for (const { mutant } of holes) console.log(`Not found, as known: ${mutant.name}. ${mutant.hole ?? ''}`)
  console.log(`${verdicts.length - survivors - holes.length} passed, ${survivors} failed`)
  return survivors
}

async function tryMutant(mutant: ProtocolMutant, folder: string): Promise<Verdict> {
  const begun = performance.now()
  const verdict = (found: boolean, seeds: number, how: string): Verdict => ({
    mutant,
    found,
    seeds,
    how,
    seconds: Math.round((performance.now() - begun) / 1_000),
  })
  const restore: (() => void)[] = []
  try {
    for (const edit of mutant.edits) restore.push(apply(edit, folder))
    const result = await playIn(folder, mutant)
    const [failure] = result.failed
    const seeds = result.next - result.from
    if (failure !== undefined) return verdict(true, seeds, `${failure.scenario} ${failure.seed}: ${failure.message}`)
    const silent = result.unmet.find((sentence) => sentence.includes(`'${mutant.silences}'`))
    if (silent !== undefined) return verdict(true, seeds, silent)
    return verdict(false, seeds, 'no seed failed')
  } catch (error) {
    return verdict(false, 0, error instanceof Error ? error.message : String(error))
  } finally {
    for (const takeBack of restore.toReversed()) takeBack()
  }
}

/** Makes the change and returns what takes it back. Throws an Error if the old text does not stand there once. */
function apply({ file, before, after }: Edit, folder: string): () => void {
  const path = join(folder, 'platform/src', file)
  const source = readFileSync(path, 'utf8')
  const count = source.split(before).length - 1
  if (count !== 1) throw new Error(`the old text stands ${count} times in ${file}; it must stand once: ${before}`)
  writeFileSync(
    path,
    source.replace(before, () => after),
  )
  return () => writeFileSync(path, source)
}

function playIn(folder: string, { within, faults, scenario }: ProtocolMutant): Promise<CampaignResult> {
  const args = ['simulation/campaign.ts', '--json', '--first', '--workers', '1']
  const seeds = ['--from', String(firstSeed), '--seeds', String(within), '--faults', faults, '--patience', '60']
  if (scenario !== undefined) seeds.push('--scenario', scenario)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args, ...seeds], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, problems]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => problems.push(chunk))
    child.on('error', reject)
    child.on('close', () => {
      try {
        resolve(JSON.parse(Buffer.concat(out).toString('utf8')))
      } catch {
        reject(
          new Error(`the campaign did not come to its end: ${Buffer.concat(problems).toString('utf8').slice(0, 500)}`),
        )
      }
    })
  })
}

function verdictLine({ mutant, found, seeds, how, seconds }: Verdict): string {
  const verdict = found ? 'found   ' : 'SURVIVED'
  const count = `${seeds} of ${mutant.within} seeds`.padStart(19)
  return `${verdict} ${mutant.name.padEnd(30)} ${count} ${`${seconds} s`.padStart(6)}  ${how.slice(0, 160)}`
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { only: { type: 'string' }, workers: { type: 'string', default: '2' } } })
  const only = values.only === undefined ? [] : values.only.split(',')
  process.exitCode = (await tryMutants({ workers: Number(values.workers), only })) > 0 ? 1 : 0
}
