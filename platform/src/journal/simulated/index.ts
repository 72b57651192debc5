export { SimulatedStream, type SimulatedStreamOptions } from './simulated-stream.ts'
export type { SimulatedJournal } from './simulated-journal.ts'
export type { StreamMember } from './connection.ts'
export type { StreamBreak } from './servers.ts'
export {
  calmStream,
  roughStream,
  type Span,
  type StreamFault,
  type StreamFaults,
  type StreamTimings,
} from './faults.ts'
