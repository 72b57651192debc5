import type { PartitionChannel } from '../router/index.ts'
import { isRead, type Command } from '../space/index.ts'
import { oneLine, table } from './output.ts'

/** Errors that are shown, the newest. */
const errorsShown = 3
/** Characters of one of them. */
const errorCharsMax = 160

/** What went to one partition since it was last looked at. */
interface Counts {
  calls: number
  writes: number
  reads: number
  /** Reads and tasks that went to each partition for one call. */
  fanOuts: number
  failed: number
}

/** What is seen of a unit under development: how much goes to each partition, their roles, and what went wrong last. */
export class DevView {
  readonly #counts: Counts[] = []
  readonly #roles: string[] = []
  readonly #errors: string[] = []
  #head = ''
  #since: number
  readonly #now: () => number

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now
    this.#since = now()
  }

  /** The same way to a partition, with what goes through it counted. */
  readonly through = (channel: PartitionChannel): PartitionChannel => ({
    ...channel,
    send: async (request) => {
      const counts = this.#of(channel.partition)
      counts[kindOf(request.command)] += 1
      try {
        return await channel.send(request)
      } catch (error) {
        counts.failed += 1
        throw error
      }
    },
  })

  /** What stands above everything. */
  head(text: string): void {
    this.#head = text
  }

  role(partition: number, role: string): void {
    this.#roles[partition] = role
  }

  error(text: string): void {
    this.#errors.push(oneLine(text, errorCharsMax))
    if (this.#errors.length > errorsShown) this.#errors.shift()
  }

  /** What there is to see now; rates are those since this was last asked. */
  text(): string {
    const now = this.#now()
    const seconds = Math.max(1, now - this.#since) / 1_000
    this.#since = now
    const rows = this.#roles.map((role, partition) => {
      const counts = this.#of(partition)
      const rates = [counts.calls, counts.writes, counts.reads, counts.fanOuts, counts.failed]
      this.#counts[partition] = noCounts()
      return [String(partition), role, ...rates.map((count) => Math.round(count / seconds))]
    })
    const head = ['partition', 'role', 'calls/s', 'writes/s', 'reads/s', 'fan-outs/s', 'errors/s']
    const errors = this.#errors.map((error) => `  ${error}\n`).join('')
    return `${this.#head}\n${table(head, rows)}${errors === '' ? '' : `last errors\n${errors}`}`
  }

  #of(partition: number): Counts {
    return (this.#counts[partition] ??= noCounts())
  }
}

function noCounts(): Counts {
  return { calls: 0, writes: 0, reads: 0, fanOuts: 0, failed: 0 }
}

function kindOf(command: Command): keyof Omit<Counts, 'failed'> {
  switch (command.kind) {
    case 'call':
    case 'service':
      return 'calls'
    case 'task':
    case 'readAll':
    case 'count':
    case 'aggregate':
      return 'fanOuts'
    default:
      return isRead(command) ? 'reads' : 'writes'
  }
}
