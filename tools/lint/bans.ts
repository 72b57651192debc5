/** A global, or a property of one, that code outside `runtime/` may not use, and what to use in its place. */
interface Ban {
  readonly name: string
  readonly message: string
}

const clock = 'Take a Clock (platform/src/runtime/): simulated time must reach this code.'
const timers = 'Take the Timers port (platform/src/runtime/): simulated time must drive this code.'
const random = 'Take the Random port (platform/src/runtime/): a seed must decide what happens here.'
const network = 'Take the Network port (platform/src/runtime/): faults must reach this code.'
const composition = 'Take it as an option: only composition files and the command line know the process.'

/** Globals that bring the world in, by the port to use in their place. */
export const bannedGlobals: readonly Ban[] = [
  { name: 'Date', message: clock },
  { name: 'performance', message: clock },
  { name: 'setTimeout', message: timers },
  { name: 'setInterval', message: timers },
  { name: 'setImmediate', message: timers },
  { name: 'clearTimeout', message: timers },
  { name: 'clearInterval', message: timers },
  { name: 'clearImmediate', message: timers },
  { name: 'crypto', message: random },
  { name: 'fetch', message: network },
  { name: 'WebSocket', message: network },
  { name: 'EventSource', message: network },
  { name: 'process', message: composition },
  { name: 'console', message: 'Report an event or return a value: only the command line prints.' },
  { name: 'globalThis', message: 'Name the global that is meant, so that the linter sees it.' },
  { name: 'WeakRef', message: 'The collector decides when it ends, and no seed decides that.' },
  { name: 'FinalizationRegistry', message: 'The collector decides when it runs, and no seed decides that.' },
]

/** Properties of pure globals that bring the world in. */
export const bannedProperties: readonly {
  readonly object: string
  readonly property: string
  readonly message: string
}[] = [
  { object: 'Math', property: 'random', message: random },
  { object: 'AbortSignal', property: 'timeout', message: timers },
  { object: 'Atomics', property: 'wait', message: timers },
  { object: 'Atomics', property: 'waitAsync', message: timers },
]
