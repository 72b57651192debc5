import { World } from '../../runtime/simulated/index.ts'
import { streamIn } from '../contract/world-stream.ts'
import { journalContract, type JournalBench, type JournalFault } from '../journal-contract.ts'
import { calmStream, type SimulatedStream } from './index.ts'

/** Faults happen by hand here; the same stream under faults by chance is in `simulated-stream.test.ts`. */
function create(level: 'quorum' | 'quorum-disk', bytesMax: number | undefined): JournalBench {
  const world = new World({ seed: 1 })
  const stream = streamIn(world, { faults: calmStream, level, ...(bytesMax === undefined ? {} : { bytesMax }) })
  return {
    connect: () => Promise.resolve(stream.journalFor()),
    run: (promise) => world.complete(promise),
    inject: (fault) => inject(stream, fault),
    release: () => {
      stream.release()
      return world.runFor(100)
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
