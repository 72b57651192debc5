import type { Bench } from '../harness/bench.ts'
import { medianInterval } from '../harness/interval.ts'
import { median } from '../harness/latency.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atMost, type Target } from '../harness/targets.ts'
import type { PlenumBank } from '../subjects/plenum-bank.ts'
import { startBank } from './subjects.ts'

const pairs = 20
const accounts = 10_000

const works = [
  { name: 'transfer', inFlight: 64 },
  { name: 'transfer', inFlight: 1 },
  { name: 'write', inFlight: 64 },
  { name: 'get', inFlight: 64 },
] as const

type Bank = Pick<PlenumBank, 'processorOf'>

/** What it costs that everything is counted: the same application with metrics and a log, and with neither. */
export const metricsCost: Suite = {
  name: 'metrics-cost',
  measures:
    'The time of the processor that an operation takes, with metrics, slow operations and a log to without: one bank in memory, ' +
    'twice, each in a process of its own that is busy throughout, in turn. Each of 20 pairs of processes gives one ratio.',
  leavesOut:
    'who asks for snapshots, which costs a millisecond each time; lines that handlers log; journals in files, where the share is smaller.',
  seconds: 1,
  async run(bench) {
    const ratios = await ratiosOf(bench)
    const rows: Row[] = []
    const notes: string[] = []
    const targets: Target[] = []
    for (const [at, { name, inFlight }] of works.entries()) {
      const samples = ratios.map((pair) => pair[at]!)
      const value = median(samples)
      const { from, to } = medianInterval(samples)
      const work = `${name}, processor time with metrics to without`
      rows.push({ subject: 'plenum', work, ack: 'memory', inFlight, value, measure: 'ratio', samples })
      const [cost, least, most] = [value, from, to].map((ratio) => ((ratio - 1) * 100).toFixed(1))
      notes.push(
        `${name}, ${inFlight} in flight: metrics cost ${cost} %, between ${least} and ${most} % with 95 % confidence (${samples.length} pairs)`,
      )
      targets.push(atMost(`${name}, ${inFlight} in flight: with metrics to without`, value, 1.05, 'ratio'))
    }
    return { rows, notes, targets: bench.options.small ? [] : targets }
  },
}

/** Slices of one measurement, of which the cheapest counts: what else the machine does only adds. */
const slices = 8

/**
 * For each pair one ratio of each work. The processes of a pair are new ones: how code is compiled and where data lies
 * differs from one to the next. Both take their slices in turn, and who begins changes from pair to pair.
 */
async function ratiosOf(bench: Bench): Promise<readonly (readonly number[])[]> {
  const ratios: (readonly number[])[] = []
  for (let pair = 0; pair < bench.sized(pairs, 2); pair++) {
    bench.say(`pair ${pair + 1}`)
    await using counting = await startBank(bench, { accounts, ack: 'memory', metrics: true })
    await using plain = await startBank(bench, { accounts, ack: 'memory', metrics: false })
    const subjects = [counting.subject, plain.subject] as const
    const turns = pair % 2 === 0 ? subjects : subjects.toReversed()
    const ofPair: number[] = []
    for (const work of works) {
      const least = new Map<Bank, number>()
      for (let slice = 0; slice < slices; slice++) {
        for (const bank of turns) {
          const cost = await costOf(bank, work, bench.options.seconds / slices)
          least.set(bank, Math.min(least.get(bank) ?? Infinity, cost))
        }
      }
      ofPair.push(least.get(counting.subject)! / least.get(plain.subject)!)
    }
    ratios.push(ofPair)
  }
  return ratios
}

async function costOf(bank: Bank, { name, inFlight }: (typeof works)[number], seconds: number): Promise<number> {
  const { operations, processorSeconds } = await bank.processorOf(name, inFlight, seconds)
  return processorSeconds / operations
}
