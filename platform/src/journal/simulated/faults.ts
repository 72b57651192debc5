/**
 * What may go wrong in a simulated stream, each with its probability from 0 to 1.
 * `regressions` and `forks` break the promise of quorum-disk, and are allowed at level quorum only.
 */
export interface StreamFaults {
  /** Per publish: it never arrives. */
  readonly lostPublishes: number
  /** Per publish: it arrives long after its writer has given up, behind later ones. */
  readonly latePublishes: number
  /** Per publish: a second copy arrives, soon or late. */
  readonly doubledPublishes: number
  /** Per publish: the record is stored or refused, and nobody tells the writer. */
  readonly lostAcks: number
  /** Per message of any kind: it takes tens or hundreds of milliseconds. */
  readonly slowMessages: number
  /** Per request for the tail, for records, for a trim: question or answer is lost. */
  readonly lostRequests: number
  /** Per publish: the leader proposes it, counts it from then on, and it vanishes. The leader steps down in the end. */
  readonly droppedProposals: number
  /** Per publish: the leader's server dies; nobody answers for seconds, and proposals are lost from some point on. */
  readonly crashes: number
  /** Per publish: the leader hands over in order; for a moment a server says that there is no leader. */
  readonly handOvers: number
  /** Per crash: the old leader goes on answering with the tail that it had, and refuses or swallows publishes. */
  readonly staleLeaders: number
  /** Per election with surviving proposals: the new leader does not count them, so that a record lands elsewhere. */
  readonly uncountedProposals: number
  /** Per record and follower: the announcement is lost. */
  readonly lostAnnouncements: number
  /** Per snapshot saved, loaded, listed or removed: the store does not answer; the work may be done all the same. */
  readonly snapshotFailures: number
  /** Per stored record: the stream loses its newest records, acked or not, and answers normally. */
  readonly regressions: number
  /** Per stored record: readers find another sound record in its place than the one that was acked. */
  readonly forks: number
}

/** The name of a fault. */
export type StreamFault = keyof StreamFaults

/** Nothing goes wrong: for a stream that a test breaks by hand, and for the end of a run that must come to rest. */
export const calmStream: StreamFaults = Object.freeze({
  lostPublishes: 0,
  latePublishes: 0,
  doubledPublishes: 0,
  lostAcks: 0,
  slowMessages: 0,
  lostRequests: 0,
  droppedProposals: 0,
  crashes: 0,
  handOvers: 0,
  staleLeaders: 0,
  uncountedProposals: 0,
  lostAnnouncements: 0,
  snapshotFailures: 0,
  regressions: 0,
  forks: 0,
})

/** Everything goes wrong that quorum-disk allows, often enough that a few hundred records meet each of them. */
export const roughStream: StreamFaults = Object.freeze({
  ...calmStream,
  lostPublishes: 0.01,
  latePublishes: 0.01,
  doubledPublishes: 0.02,
  lostAcks: 0.02,
  slowMessages: 0.02,
  lostRequests: 0.02,
  droppedProposals: 0.004,
  crashes: 0.003,
  handOvers: 0.004,
  staleLeaders: 0.6,
  uncountedProposals: 0.5,
  lostAnnouncements: 0.05,
  snapshotFailures: 0.1,
})

/** The least and the most that something takes, in milliseconds. */
export type Span = readonly [least: number, most: number]

/** How long things take, in milliseconds. */
export interface StreamTimings {
  /** One way between a member and the servers. */
  readonly message: Span
  readonly slowMessage: Span
  /** How much later a late packet, or a late copy, arrives. */
  readonly late: Span
  /** From proposal to storage on a majority. */
  readonly commit: Span
  /** A writer waits this long for an ack, then calls the outcome unknown. */
  readonly appendTimeout: number
  /** A reader waits this long for an answer, then calls the journal unavailable. */
  readonly requestTimeout: number
  /** A member that is cut off notices after this long; until then what it sends is lost. */
  readonly cutNoticed: number
  /** From the death of a leader's server to the next leader. */
  readonly crash: Span
  readonly handOver: Span
  /** How long an old leader goes on answering after the next one was elected. */
  readonly stale: Span
  /** How long a leader goes on counting a proposal that vanished. */
  readonly dropNoticed: Span
  /** One chunk of a snapshot. */
  readonly snapshotChunk: Span
  /** A follower that hears nothing for so long, two heartbeats, asks for the tail. */
  readonly followQuiet: number
}

/** Measured on three servers of version 2.15 on one machine, where it could be measured; the rest is pessimistic. */
export const streamTimings: StreamTimings = Object.freeze<StreamTimings>({
  message: [0.1, 1.5],
  slowMessage: [20, 400],
  late: [320, 12_000],
  commit: [0.3, 5],
  appendTimeout: 300,
  requestTimeout: 1_000,
  cutNoticed: 1_500,
  crash: [4_000, 9_000],
  handOver: [20, 320],
  stale: [500, 3_000],
  dropNoticed: [2_000, 6_000],
  snapshotChunk: [1, 30],
  followQuiet: 500,
})
