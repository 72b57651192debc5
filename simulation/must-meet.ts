import type { Numbers, Sums } from './sums.ts'

/** The faults that a simulated grid can meet; disks belong to the tests of the file engine. */
export const faultsToMeet: readonly string[] = [
  'kill',
  'pause',
  'stall',
  'late timer',
  'partition',
  'one-way partition',
  'primary cut off',
  'clock jump',
  'message cut off',
  'message doubled',
  'message lost',
  'message reordered',
  'message to nobody',
  'lostPublishes',
  'latePublishes',
  'doubledPublishes',
  'lostAcks',
  'slowMessages',
  'lostRequests',
  'droppedProposals',
  'crashes',
  'handOvers',
  'staleLeaders',
  'uncountedProposals',
  'lostAnnouncements',
  'snapshotFailures',
  'snapshot damaged',
  'regressions',
]

/** Rare situations that a run of some dozens of seeds meets for certain. */
export const probesToMeet: readonly string[] = [
  'OPEN without a clear outcome',
  'acked after all',
  'asked for before it was decided',
  'coordinator told an outcome',
  'fenced',
  'follower met a regression',
  'gap in what was announced',
  'kept answer given again',
  'lease void after a suspension',
  'participant asked for an outcome',
  'primary met a regression',
  'proposals survived an election',
  'publish met an old leader',
  'record landed elsewhere',
  'request sent again after an unknown outcome',
  'request sent elsewhere',
  'request waited for a lock',
  'snapshot that no record names',
  'stream lost acked records',
  'tail of an old leader',
  'takeover while prepared',
  'takeover with a decision',
  'unknown OPEN adopted',
  'void record skipped',
  'window stamped anew',
]

/** Probes that these scenarios do not meet, and why. */
export const probesAside: Readonly<Record<string, string>> = {
  'stream is full': 'the streams of a simulated grid have no bound; the contract suite fills them',
}

/** The faults and probes that were not met, as sentences. */
export function unmet(sums: Sums): readonly string[] {
  return [...zeros('fault', faultsToMeet, sums.faults), ...zeros('probe', probesToMeet, sums.probes)]
}

function zeros(kind: string, names: readonly string[], counts: Numbers): readonly string[] {
  return names.filter((name) => (counts[name] ?? 0) === 0).map((name) => `The ${kind} '${name}' was never met.`)
}
