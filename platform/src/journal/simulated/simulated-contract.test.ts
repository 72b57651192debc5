import { SeededRandom, VirtualTime } from '../contract/virtual-time.ts'
import { journalContract, type JournalBench, type JournalFault } from '../journal-contract.ts'
import { calmStream } from './faults.ts'
import { SimulatedStream } from './simulated-stream.ts'

/** Faults happen by hand here; the same stream under faults by chance is in `simulated-stream.test.ts`. */
function create(level: 'quorum' | 'quorum-disk', bytesMax: number | undefined): JournalBench {
  const time = new VirtualTime()
  const stream = new SimulatedStream({
    timers: time,
    clock: time,
    random: new SeededRandom(1),
    faults: calmStream,
    level,
    ...(bytesMax === undefined ? {} : { bytesMax }),
  })
  return {
    connect: () => Promise.resolve(stream.journalFor()),
    run: (promise) => time.run(promise),
    inject: (fault) => inject(stream, fault),
    release: () => {
      stream.release()
      return time.pass(100)
    },
    dispose: () => Promise.resolve(),
  }
}

function inject(stream: SimulatedStream, fault: JournalFault): void {
  switch (fault) {
    case 'lost ack':
      return stream.breakNext('ack')
    case 'late packet':
      return stream.breakNext('packet')
    case 'dropped proposal':
      return stream.breakNext('proposal')
    case 'lost republish':
      return stream.breakNext('announcement')
    case 'election':
      return stream.elect()
    case 'regression':
      return stream.regress(1)
    case 'fork':
      return stream.fork()
    case 'full':
      throw new Error('a stream is full when its room is taken')
  }
}

const faults = ['lost ack', 'late packet', 'dropped proposal', 'election', 'lost republish', 'full'] as const

for (const level of ['quorum-disk', 'quorum'] as const) {
  journalContract(`simulated stream, ${level}`, {
    secondConnection: 'shared',
    keepsRecords: true,
    trimsExactly: true,
    faults: level === 'quorum' ? [...faults, 'regression', 'fork'] : faults,
    create: ({ bytesMax }) => Promise.resolve(create(level, bytesMax)),
  })
}
