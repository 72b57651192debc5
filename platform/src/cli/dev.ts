import { relative } from 'node:path'
import { develop, type DevelopEvent } from '../develop.ts'
import { nodeRuntime } from '../runtime/node/index.ts'
import type { Unit } from '../unit/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { DevView } from './dev-view.ts'
import { LiveText } from './live-text.ts'
import { errorText, progress, type Output } from './output.ts'
import { RareWarnings } from './rare-warnings.ts'
import { addressOf, ackOf, countOf, journalOf, untilInterrupted, warn } from './run.ts'

export const devHelp = `plenum dev <unit.ts>: run a unit while you write it

Runs the unit in a thread, over a journal in a folder, and replaces it when its file, or one that it imports,
changes. What is called meanwhile waits, and nothing fails. What does not load, or does not fit the journal, is
told with its place, and the code of before goes on. On a terminal a view shows what goes on in the partitions;
where it is piped, each change is a line. What the unit uses from outside is the file's export \`uses\`.

  --folder <path>      where the journal lives (default .plenum/<unit name>)
  --partitions <n>     number of partitions of a new folder (default 4)
  --threads <n>        threads that the partitions run on (default 1)
  --ack <level>        what an ack means: disk (default), os or memory
  --help               this text

Exit codes: 1 failed, 2 wrong usage, 130 ended by Ctrl-C.
`

/** Milliseconds between two pictures of the view. */
const drawEveryMs = 1_000

/** Runs \`plenum dev\`; the exit code. */
export async function dev(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArguments('dev', args, {
    folder: { type: 'string' },
    partitions: { type: 'string' },
    threads: { type: 'string' },
    ack: { type: 'string', default: 'disk' },
    help: { type: 'boolean', default: false },
  })
  if (values.help) {
    output.out(devHelp)
    return 0
  }
  const [file, more] = positionals
  if (file === undefined || more !== undefined) throw usage('dev', 'it takes one unit file')
  const ack = ackOf('dev', values.ack)
  const screen = new Screen(output)
  await using development = await develop<Unit>({
    unit: addressOf(file),
    partitions: countOf('dev', 'partitions', values.partitions),
    threads: countOf('dev', 'threads', values.threads) ?? 1,
    ...journalOf(ack, values.folder),
    ack,
    onProgress: ({ step, share }) => progress(output, `${step} ${Math.floor(share * 100)} %`),
    onEvent: ({ partition, event }) => screen.told(partition, event),
    through: screen.view.through,
  })
  progress(output, '')
  const { client, files, name } = development
  await load(client.sources, screen)
  const journal = ack === 'memory' ? 'in memory only' : `journal in ${values.folder ?? `.plenum/${name}`}`
  const watched = files.length === 1 ? '1 file is' : `${files.length} files are`
  screen.begin(`${name} runs on ${client.partitions} partitions, ${journal}; ${watched} watched`)
  await untilInterrupted()
  screen.end()
  return 130
}

async function load(
  sources: Readonly<Record<string, { load(): Promise<{ readonly rows: number }> }>>,
  screen: Screen,
): Promise<void> {
  for (const [name, source] of Object.entries(sources)) {
    const { rows } = await source.load()
    if (rows > 0) screen.say(`source ${name}: ${rows} rows`)
  }
}

/** Where it is told: lines that stay, and below them the view, on a terminal. */
class Screen {
  readonly view: DevView
  readonly #output: Output
  readonly #rare: RareWarnings
  readonly #live: LiveText | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(output: Output) {
    const { clock } = nodeRuntime()
    this.#output = output
    this.view = new DevView(() => clock.monotonic())
    this.#rare = new RareWarnings(
      () => clock.monotonic(),
      (text) => this.#warn(text),
    )
    this.#live = output.live ? new LiveText(output.err, () => process.stderr.columns ?? 80) : undefined
  }

  begin(head: string): void {
    this.say(head)
    this.view.head(head)
    if (this.#live === undefined) return
    const draw = (): void => this.#live?.draw(this.view.text())
    draw()
    this.#timer = setInterval(draw, drawEveryMs)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#live?.clear()
  }

  say(line: string): void {
    this.#live?.clear()
    this.#output.out(`${line}\n`)
  }

  told(partition: number | undefined, event: DevelopEvent): void {
    switch (event.kind) {
      case 'reloaded':
        return this.say(`${names(event.files)} changed: the unit is replaced, in ${Math.round(event.ms)} ms`)
      case 'reload-refused':
        return this.#warn(`${names(event.files)} changed, and the unit of before goes on. ${errorText(event.error)}\n`)
      case 'fault': {
        const why = event.error instanceof Error ? event.error.message : String(event.error)
        return this.#warn(`warning: the ${event.part} threw: ${why}\n`)
      }
      case 'role':
        return partition === undefined ? undefined : this.view.role(partition, event.role)
      default:
        return warn({ partition, event }, this.#rare, { ...this.#output, err: (text) => this.#warn(text) })
    }
  }

  #warn(text: string): void {
    this.#live?.clear()
    this.#output.err(text)
    this.view.error(text)
  }
}

function names(files: readonly string[]): string {
  return files.map((file) => relative('.', file)).join(', ')
}
