export { Line } from './line.ts'
export { RemoteJournal } from './remote-journal.ts'
export type { SeatEvent } from './seat.ts'
export { sentEvent } from './sent-event.ts'
export { ThreadHost } from './thread-host.ts'
export type {
  LoadedFiles,
  LoadedUnit,
  OwnerSubjects,
  ThreadData,
  ThreadEvent,
  ThreadSubjects,
} from './thread-subjects.ts'
export { Threads } from './threads.ts'
