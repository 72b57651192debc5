import type { Clock, Timers } from '../../runtime/index.ts'
import type { World } from '../../runtime/simulated/index.ts'
import { SimulatedStream, type SimulatedStreamOptions } from '../simulated/index.ts'

/** A simulated stream whose servers run on a world's own time, and the probes that it has met. */
export function streamIn(
  world: World,
  options: Omit<SimulatedStreamOptions, 'timers' | 'clock' | 'random' | 'probe'>,
): SimulatedStream {
  return new SimulatedStream({
    ...options,
    timers: worldTimers(world),
    clock: worldClock(world),
    random: world.random.fork('stream'),
    probe: (name) => world.probes.add(name),
  })
}

function worldTimers(world: World): Timers {
  return { after: (delayMs, run) => world.after(delayMs, run), soon: (run) => void world.after(0, run) }
}

function worldClock(world: World): Clock {
  return { monotonic: () => world.now, wall: () => world.startMs + world.now }
}
