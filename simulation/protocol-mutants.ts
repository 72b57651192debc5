import { mutant, type ProtocolMutant } from './protocol-mutant.ts'
import { claimMutants, messageMutants, projectionMutants } from './work-mutants.ts'

const primary = 'partition/primary.ts'
const pipeline = 'partition/pipeline.ts'
const partition = 'partition/partition.ts'

/** Answers that leave too early, or twice, or never. */
const answers: readonly ProtocolMutant[] = [
  mutant('replies not held', 'Answers leave before what they depend on is acked.', 12, [
    [primary, 'if (index <= this.#acked) return failed', 'if (index <= Infinity) return failed'],
  ]),
  mutant('dirty reads', 'A read does not wait for the writes that it saw.', 24, [
    [
      primary,
      'const dependency = this.#dependency()\n    return this.#hold(dependency, value, error, failed,',
      'return this.#hold(0, value, error, failed,',
    ],
  ]),
  mutant('answer not kept', 'What a session was answered is not kept beside the change.', 12, [
    [
      primary,
      'if (identity !== undefined) this.#answers.keep(identity, { ok: true',
      "if (identity?.kind === 'keyed') this.#answers.keep(identity, { ok: true",
    ],
  ]),
  mutant('kept answer ignored', 'A request that was answered runs again.', 12, [
    [primary, 'const kept = this.#kept.find(identity, request.attempt ?? 0)', 'const kept = undefined'],
  ]),
  mutant('silence told as certainty', 'A try that nobody answered counts as one that did nothing.', 60, [
    ['grid/network-channel.ts', "code: 'UNKNOWN_OUTCOME',\n    message:", "code: 'NOT_PRIMARY',\n    message:"],
  ]),
]

/** A primary that counts, sends or reads its records wrongly. */
const window: readonly ProtocolMutant[] = [
  mutant('later acks count', 'An ack counts for all earlier records of its window, though one was refused.', 200, [
    [
      pipeline,
      'sealed.outcome = outcome\n    if',
      "sealed.outcome = outcome\n    if (outcome.kind === 'acked') for (const one of this.#window) if (one.index < sealed.index) one.outcome = { kind: 'acked', position: one.position }\n    if",
    ],
  ]),
  mutant(
    'ack elsewhere counts',
    'An ack counts wherever the record has landed.',
    600,
    [
      [
        pipeline,
        "if (first?.outcome?.kind !== 'acked' || first.outcome.position !== first.position) break",
        "if (first?.outcome?.kind !== 'acked') break",
      ],
    ],
    {
      hole:
        'The first record of a window is acked elsewhere only where proposals of another member survive an election uncounted, ' +
        'and a simulated leader stores those within milliseconds.',
    },
  ),
  mutant('refusal taken for loss', 'A refused record is taken to be absent, and the journal is not read.', 24, [
    [
      pipeline,
      'const end = await this.#read()',
      "const end = this.#window[0]?.outcome?.kind === 'refused' ? undefined : await this.#read()",
    ],
  ]),
  mutant('no restamp', 'Records whose places void ones have taken are sent again as they are.', 300, [
    [pipeline, 'if (again > 0 && this.#window[0]!.position !== head.next) {', 'if (again < 0) {'],
  ]),
]

/** Reigns that begin too early or on the wrong ground, or do not end. */
const reigns: readonly ProtocolMutant[] = [
  mutant('lease not checked', 'A primary answers reads although its lease is over.', 600, [
    [primary, 'const index = confirmed || !this.#leaseHolds()', 'const index = confirmed'],
  ]),
  mutant(
    'lease by the wall clock',
    'A follower measures the lease by a clock that can be set.',
    900,
    [[partition, 'const silent = clock.monotonic() - this.#heardAt', 'const silent = clock.wall() - this.#heardWall']],
    {
      hole:
        'A member more than a second ahead does not open, so that a reign is early by less than that; a write has to be ' +
        'acked in it, and its old value read, within what is left of the lease. It happens about once in ten runs that ' +
        'the old primary is read at all by then.',
    },
  ),
  mutant('lease from the ack', 'The lease is counted from the ack of a record, not from its sending.', 600, [
    [primary, 'sentAt + this.#leaseMs)', 'this.#options.runtime.clock.monotonic() + 2 * this.#leaseMs)'],
  ]),
  mutant('impatient follower', 'A follower opens after half the lease.', 600, [
    [partition, 'return silent > replica.leaseMs * driftBound', 'return silent > (replica.leaseMs * driftBound) / 2'],
  ]),
  mutant(
    'OPEN without catching up',
    'A member opens where it stands, and gives nothing back that the journal lost.',
    60,
    [[partition, '!((await this.#catchUp(replica)) && (await this.#mayUpgrade(replica)))', 'false']],
    { faults: 'regressions' },
  ),
  mutant(
    'unknown OPEN never adopted',
    'A member takes its own OPEN, found later, for a rival.',
    60,
    [
      [
        partition,
        'return this.#pendingOpen !== undefined && sameBytes(record.bytes, this.#pendingOpen)',
        'return record.bytes.length === 0',
      ],
    ],
    { silences: 'unknown OPEN adopted' },
  ),
  mutant('any OPEN adopted', "A member whose OPEN has no known outcome takes another's for its own.", 24, [
    [
      partition,
      'return this.#pendingOpen !== undefined && sameBytes(record.bytes, this.#pendingOpen)',
      'return this.#pendingOpen !== undefined && record.bytes.length > 0',
    ],
  ]),
  mutant('machine reused', 'A machine that ran ahead of the journal goes on as a follower.', 24, [
    [
      partition,
      'its machine ran ahead of the journal (I3).\n        replica = undefined',
      'its machine ran ahead of the journal (I3).',
    ],
  ]),
]

/** Time, snapshots, and what the journal has lost. */
const state: readonly ProtocolMutant[] = [
  mutant('leases not renewed', 'Renewable leases do not start anew at OPEN.', 60, [
    ['partition/replica.ts', 'this.machine.renewLeases()', ''],
  ]),
  mutant('time goes back', 'A new reign begins before the time at which the last one ended.', 60, [
    [partition, 'startTime: Math.max(startTime, replica.machine.time)', 'startTime: startTime - 10_000'],
    ['space/machine.ts', 'if (now > this.#time) this.#time = now', 'this.#time = now'],
  ]),
  mutant(
    'half a snapshot counts',
    'A walk that its reign did not outlive is saved, and counts without its record.',
    600,
    [
      [
        'partition/snapshots.ts',
        'if (isEnded()) throw new',
        'if (isEnded()) break; else if (limits.snapshotSliceMs < 0) throw new',
      ],
      ['partition/recovery.ts', 'if (replica.named.some((named) =>', 'if ([name].some((named) =>'],
    ],
  ),
  mutant(
    'snapshot of another moment',
    'A snapshot names the head of the moment at which it is saved.',
    300,
    [['partition/snapshots.ts', 'options.head ?? replica.headAt(index)', '{ ...replica.fold.head, index }']],
    {
      hole: 'The two differ where acks overtake each other; over the one connection of a simulated member they do not.',
    },
  ),
  mutant('older snapshot cut', 'The journal is cut below the newest snapshot, and the older one is gone.', 1_000, [
    ['partition/snapshots.ts', 'const oldest = replica.named[0]!', 'const oldest = replica.named.at(-1)!'],
  ]),
  mutant('journal cut too far', 'The journal is cut at its tail instead of below the older snapshot.', 200, [
    ['partition/snapshots.ts', 'await journal.trim(position + 1)', 'await journal.trim(replica.fold.head.next)'],
  ]),
  mutant(
    'recent records not given back',
    'What the journal has lost is not appended again.',
    24,
    [[pipeline, 'for (const record of recent.from(from)) {', 'for (const record of recent.from(Infinity)) {']],
    { faults: 'regressions' },
  ),
  mutant(
    'void records not given back',
    'Void records are not kept, though those behind them stood where they stood.',
    100,
    [
      [
        'partition/replica.ts',
        'this.recent?.add(found)\n    if',
        "if (verdict.kind === 'accepted') this.recent?.add(found)\n    if",
      ],
    ],
    { faults: 'regressions' },
  ),
]

const transactions = 'partition/transactions.ts'
const locks = 'space/locks.ts'

/** Transactions that see, lock, decide or tell the wrong thing. */
type Commit = readonly [
  name: string,
  about: string,
  within: number,
  edit: readonly [string, string, string],
  hole?: string,
]

const commits: readonly ProtocolMutant[] = (
  [
    [
      'entries not validated',
      'A commit does not look whether the entries that it read are still the same.',
      4,
      ['partition/seen.ts', 'for (const entry of entries) checkEntry(entry, machine, locks)', 'void entries'],
    ],
    [
      'queries not validated',
      'A commit does not look whether what its queries saw is still so.',
      8,
      ['partition/seen.ts', 'for (const query of queries) checkQuery(query, machine, locks, limits)', 'void queries'],
    ],
    [
      'no locks on entries read',
      'What a prepared transaction has read may be changed before its outcome.',
      200,
      [
        locks,
        'for (const { table, key } of entries) this.#share(',
        'for (const { table, key } of entries.slice(0, 0)) this.#share(',
      ],
    ],
    [
      'no locks on queries',
      'What a prepared transaction has asked for may be changed before its outcome.',
      200,
      [locks, 'locks.queries.add(lock)', 'void lock'],
    ],
    [
      'no locks on entries changed',
      'What a prepared transaction will change may be read and changed before its outcome.',
      12,
      [locks, 'addTo(locks.changes, id, { holder, before, after })', 'void { holder, before, after }'],
    ],
    [
      'locks not rebuilt',
      'A new primary does not know the locks of transactions that were prepared before.',
      60,
      [
        transactions,
        'for (const row of this.#prepared.rows()) this.#lock(',
        'for (const row of [] as Row[]) this.#lock(',
      ],
    ],
    [
      'abort not journaled',
      'A coordinator says that a transaction will never be, and does not keep it.',
      24,
      [
        transactions,
        'machine.put(this.#decisions, undefined, { transaction: id, committed: false',
        'void (undefined, { transaction: id, committed: false',
      ],
    ],
    [
      'outcome told before its ack',
      'A participant says that it knows an outcome before that is acked.',
      60,
      [transactions, 'execution.dependency = this.#prepared.lastIndex', 'execution.dependency = 0'],
    ],
    [
      'decision told before its ack',
      'A coordinator tells a decision before it is acked.',
      60,
      [
        transactions,
        'if (row === undefined || row.index > this.#options.acked()) return undefined',
        'if (row === undefined) return undefined',
      ],
    ],
    [
      'decision forgotten too early',
      'A decision is forgotten when the first participant knows it.',
      300,
      [transactions, 'if (left.length > 0) machine.put(', 'if (left.length > 9) machine.put('],
    ],
    [
      'draft seen before its ack',
      'What a transaction reads need not be acked.',
      60,
      [transactions, 'const own = unstamped(', 'execution.dependency = 0\n      const own = unstamped('],
    ],
    [
      'doubt taken for none',
      'A client that cannot find out whether a commit was decided tells the participants that it was not.',
      300,
      [
        'router/transaction.ts',
        "throw isPlenumError(error, 'UNKNOWN_OUTCOME') ? error : unknownCommit(error)",
        'return false',
      ],
      'The coordinator has to be out of reach after a commit of unknown outcome for as long as a transaction may take; the faults of a run end sooner.',
    ],
  ] satisfies readonly Commit[] as readonly Commit[]
).map(([name, about, within, edit, hole]) =>
  mutant(name, about, within, [edit], { scenario: 'transactions', ...(hole === undefined ? {} : { hole }) }),
)

/** Copies that are changed alone. */
const copies: readonly ProtocolMutant[] = [
  mutant(
    'a copy left behind',
    'A change of what is everywhere leaves out the last partition.',
    12,
    [
      [
        'router/copies.ts',
        'Array.from({ length: this.#sender.partitions - 1 }',
        'Array.from({ length: Math.max(0, this.#sender.partitions - 2) }',
      ],
    ],
    { scenario: 'copies' },
  ),
  mutant(
    'copies one after the other',
    'A change of what is everywhere is a transaction at the first partition, and then one at each other.',
    12,
    [
      [
        'router/copies.ts',
        'scope.attempt(partition, again(one), own, true)',
        'this.#sender.send(partition, again(one))',
      ],
    ],
    { scenario: 'copies' },
  ),
  mutant(
    'half a change of copies',
    'A change that another partition could not follow is committed with the rest of its batch.',
    120,
    [['router/copies.ts', 'scope.doom(error)', 'void scope']],
    { scenario: 'copies' },
  ),
]

/** Entries that transactions take here and put there. */
const moved: readonly ProtocolMutant[] = [
  mutant(
    'a take chosen anew',
    'A commit takes what its query finds by then, and not what the transaction was given.',
    120,
    [
      [
        'partition/draft.ts',
        "return removed.map(({ table, value }) => ({ kind: 'remove', type, key: keyOf(table, value), options }))",
        "return removed.length > 99 ? [{ kind: 'remove', type, key: keyOf(removed[0]!.table, removed[0]!.value), options }] : undefined",
      ],
    ],
    { scenario: 'moves' },
  ),
  mutant(
    'entries taken unlocked',
    'What a prepared transaction will take may be taken by another before its outcome.',
    120,
    [[locks, 'addTo(locks.changes, id, { holder, before, after })', 'void { holder, before, after }']],
    { scenario: 'moves' },
  ),
]

/** What is not durable, taken for more or less than it is. */
const volatileState: readonly ProtocolMutant[] = [
  mutant(
    'volatile stamps begin anew',
    'The stamps of what is not durable begin at the same number in each reign.',
    120,
    [[primary, 'replica.machine.beginReign(replica.fold.head.epoch)', 'replica.machine.beginReign(0)']],
    { scenario: 'spots' },
  ),
  mutant(
    'volatile reads without a lease',
    'A primary answers about what is not durable although its lease is over.',
    120,
    [[primary, 'const index = confirmed || !this.#leaseHolds()', 'const index = confirmed']],
    { scenario: 'spots' },
  ),
]

/** All protocol mutants. */
export const protocolMutants: readonly ProtocolMutant[] = [
  ...answers,
  ...window,
  ...reigns,
  ...state,
  ...commits,
  ...copies,
  ...moved,
  ...volatileState,
  ...claimMutants,
  ...messageMutants,
  ...projectionMutants,
]
