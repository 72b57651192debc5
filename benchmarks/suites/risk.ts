import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { median } from '../harness/latency.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { atMost } from '../harness/targets.ts'

const application = fileURLToPath(new URL('../../apps/risk/main.ts', import.meta.url))

/** What of the application's report is read here. */
const Report = z.object({
  figures: z.unknown(),
  run: z.object({ rates: z.array(z.object({ ratePercent: z.number(), warmMs: z.number() })) }),
})

/** The risk application's seven valuations, once everything is loaded and warm. */
export const risk: Suite = {
  name: 'risk',
  measures:
    'Net present value of 10,000 trades in 8 partitions at each of seven rates, by map and reduce beside the data, as the ' +
    'risk application itself reports it: the median of its warm runs. The hash is that of its figures.',
  leavesOut: 'the load from the database, and the first run of each rate.',
  async run(bench) {
    const { rounds, small } = bench.options
    const folder = await bench.folder()
    const times = new Map<number, number[]>()
    let hash = ''
    for (let round = 0; round < rounds; round++) {
      bench.say(`run ${round + 1}`)
      const { figures, run } = await report(folder)
      hash = createHash('sha256').update(JSON.stringify(figures)).digest('hex').slice(0, 8)
      for (const { ratePercent, warmMs } of run.rates)
        times.set(ratePercent, [...(times.get(ratePercent) ?? []), warmMs])
    }
    const rows = [...times].map(([ratePercent, samples]): Row => {
      const work = `NPV at ${ratePercent} %`
      return { subject: 'plenum', work, ack: '-', value: median(samples), measure: 'ms', samples, hash }
    })
    const slowest = Math.max(...rows.map(({ value }) => value))
    return { rows, targets: small ? [] : [atMost('the slowest of the seven', slowest, 5, 'ms')] }
  },
}

/** One run of the application; the second and later ones find everything in the journal. */
async function report(folder: string): Promise<z.infer<typeof Report>> {
  const given = [application, '--json', '--no-progress', '--folder', folder]
  const { stdout } = await promisify(execFile)(process.execPath, given, { env: { ...process.env, DATABASE_URL: '' } })
  return Report.parse(JSON.parse(stdout))
}
