import { isPlenumError, type Token } from 'plenum'
import { checkWatch, requireOk, watchLines } from 'plenum/testing'
import { Register } from '../unit.ts'
import { Watcher } from '../watcher.ts'
import { scenario, takeTurns, type Scenario, type Seat, type Stage, type Turn } from './scenario.ts'

/** What a client does to a register. */
type Step = { readonly f: 'write' | 'remove'; readonly id: string; readonly value: number }

const registers = 8
/** Values from here on are written last; no step has so many. */
const lastFrom = 1_000_000
/** Virtual time after the faults within which requests arrive that nobody waits for any more. */
const strayTime = '5s'

/** Registers that are watched by a client that resumes whenever its watch is cut off. */
export const watch: Scenario = scenario<Step>({
  name: 'watch',
  about: 'what a watch tells, through all of its resumptions, is what the journal holds, from its beginning to its end',
  isRead: () => false,
  draw: (random, count) =>
    Array.from({ length: count }, (_, value) => ({
      f: random.next() < 0.75 ? 'write' : 'remove',
      id: nameOf(random.integer(registers)),
      value,
    })),
  // Few changes are kept, so that some watches find that theirs are gone.
  limits: (random) => ({ changeRingMax: [8, 64, 10_000][random.integer(3)]! }),
  play: async (stage, turns) => {
    const watcher = watcherOn(stage)
    await takeTurns(stage, turns, take)
    await stage.world.settle()
    await stage.world.sleep(strayTime)
    await watcher.hearOut(await writeAll(stage.seats[0]!))
    const told = checkWatch(stage.recorder.events, stage.world.journal(), { heardOut: true })
    const { entries, changes, resets } = requireOk('watch', told)
    return { 'entries seen': entries, 'changes seen': changes, resets, 'times resumed': watcher.broken }
  },
})

function nameOf(register: number): string {
  return `register ${register}`
}

/** The last client watches all registers. */
function watcherOn({ world, recorder, seats }: Stage): Watcher {
  const { space } = seats.at(-1)!.unit
  return new Watcher({
    name: 'w1',
    filter: {},
    recorder,
    follow: async ({ since }, hear, signal) => {
      const events = space.watch(Register, {}, { since: since as Token | undefined, signal })
      for await (const lines of watchLines(events, ({ id }) => ({ key: id }))) hear(lines)
    },
    sleep: (ms) => world.sleep(`${ms}ms`),
  })
}

/** Writes each register once more: whoever was told of these was told of everything. */
async function writeAll({ unit }: Seat) {
  const written = Array.from({ length: registers }, (_, register) => {
    const [key, value] = [nameOf(register), lastFrom + register]
    return { key, entry: { id: key, value } }
  })
  for (const { entry } of written) await unit.space.write(Register, entry)
  return written
}

async function take({ step, timeout }: Turn<Step>, { unit }: Seat): Promise<void> {
  const { f, id, value } = step
  try {
    if (f === 'write') await unit.space.write(Register, { id, value }, { timeout })
    else await unit.space.remove(Register, { id }, { timeout })
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}
