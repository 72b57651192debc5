/** What a metric counts: `1` is a share, words in braces are pieces (UCUM, as OpenTelemetry writes units). */
export type MetricUnit = 's' | 'By' | '1' | `{${string}}`

/** How the values of several processes, or threads, become one. */
export type Joined = 'sum' | 'max' | 'min'

/** One metric of the catalogue. */
export interface MetricDefinition {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly unit: MetricUnit
  readonly text: string
  /** The names of its labels. Their values are names of declarations, never ids. */
  readonly labels: readonly string[]
  /** Of a gauge; counters and histograms add up. */
  readonly joined: Joined
}

const operation = 'db.operation.name'
const part = 'plenum.part'
const type = 'db.collection.name'
const worker = 'plenum.worker'
const schedule = 'plenum.schedule'
const partition = 'plenum.partition'
const destination = 'messaging.destination.name'
/** What the conventions of OpenTelemetry ask for beside it. */
const databaseSystem = 'db.system.name'
const messagingSystem = 'messaging.system'

/** Every metric of Plenum; docs/metrics.md has the same list. */
export const catalogue = {
  operations: counter('plenum.operations', '{operation}', 'requests that partitions have answered', [
    operation,
    part,
    'plenum.outcome',
  ]),
  operationDuration: histogram('db.client.operation.duration', 's', 'from the request to its answer, in this process', [
    databaseSystem,
    operation,
    part,
  ]),
  operationErrors: counter('plenum.operation.errors', '{operation}', 'answers that were errors, refusals left out', [
    'error.type',
  ]),
  operationsSlow: counter('plenum.operations.slow', '{operation}', 'answers that took longer than slowOperationMs', []),
  appendDuration: histogram('plenum.journal.append.duration', 's', 'from a sealed record to its ack', []),
  records: counter('plenum.journal.records', '{record}', 'records that were acked', [partition]),
  journalBytes: counter('plenum.journal.io', 'By', 'bytes of records that were acked', [partition]),
  batchCommands: histogram('plenum.batch.commands', '{command}', 'commands that one record holds', []),
  batchBytes: histogram('plenum.batch.size', 'By', 'bytes of one record with commands', []),
  journalFill: gauge('plenum.journal.fill', '1', 'share of the room of the journal that is taken', [partition], 'max'),
  journalLag: gauge('plenum.journal.lag', 's', 'age of the oldest record that is not acked', [partition], 'max'),
  roles: gauge('plenum.partitions', '{partition}', 'partitions of this process by their role', ['plenum.role'], 'sum'),
  index: gauge('plenum.partition.index', '{record}', 'index of the last record that is acked', [partition], 'max'),
  entries: gauge('plenum.entries', '{entry}', 'entries that are kept', [type], 'sum'),
  held: gauge('plenum.replies.held', '{reply}', 'answers that wait for an ack', [partition], 'sum'),
  inbox: gauge('plenum.inbox.requests', '{request}', 'requests that wait until records flow', [partition], 'sum'),
  waiters: gauge('plenum.waiters', '{request}', 'reads and takes that wait for a match', [partition], 'sum'),
  watchers: gauge('plenum.watchers', '{watch}', 'watches that wait for changes', [partition], 'sum'),
  sessions: gauge('plenum.sessions', '{session}', 'sessions that are registered', [partition], 'sum'),
  claims: gauge('plenum.claims', '{claim}', 'entries that workers have claimed', [partition], 'sum'),
  prepared: gauge(
    'plenum.transactions.prepared',
    '{transaction}',
    'transactions that are prepared',
    [partition],
    'sum',
  ),
  messagesKept: gauge(
    'plenum.messages.kept',
    '{message}',
    'messages that are not delivered, dead letters too',
    [partition],
    'sum',
  ),
  failures: gauge(
    'plenum.failures.kept',
    '{entry}',
    'entries with failed attempts, dead letters too',
    [partition],
    'sum',
  ),
  snapshotDuration: histogram('plenum.snapshot.duration', 's', 'from the begin of a snapshot until it is named', []),
  snapshotAge: gauge(
    'plenum.snapshot.age',
    's',
    'since the last snapshot that this process has taken',
    [partition],
    'max',
  ),
  workerDuration: histogram('plenum.worker.duration', 's', "from an attempt's begin to its end", [worker]),
  workerAttempts: counter(
    'plenum.worker.attempts',
    '{attempt}',
    'attempts of workers and schedules by what came of them',
    [worker, 'plenum.outcome'],
  ),
  workerRunning: gauge('plenum.worker.running', '{attempt}', 'attempts that are under way', [worker], 'sum'),
  messagesSent: counter('messaging.client.sent.messages', '{message}', 'messages that handlers have sent', [
    messagingSystem,
    destination,
  ]),
  messagesDelivered: counter('messaging.client.consumed.messages', '{message}', 'messages that were delivered', [
    messagingSystem,
    destination,
  ]),
  deliveryDuration: histogram(
    'plenum.message.delivery.duration',
    's',
    'from the time at which a message may be delivered until it is',
    [],
  ),
  scheduleLateness: histogram('plenum.schedule.lateness', 's', 'from a due time until it is noted', [schedule]),
  linesDropped: counter('plenum.log.dropped', '{line}', 'lines of handlers that had no room until their acks', [
    partition,
  ]),
  events: counter('plenum.events', '{event}', 'events by their kind; degraded states are among them', ['plenum.event']),
  loopDelay: histogram('plenum.eventloop.delay', 's', 'how much later than asked for the loop runs a timer', []),
  loopTime: counter('nodejs.eventloop.time', 's', 'time of the event loop, active and idle', [
    'nodejs.eventloop.state',
  ]),
  loopUtilization: gauge(
    'nodejs.eventloop.utilization',
    '1',
    'share of its time in which the event loop was active',
    [],
    'max',
  ),
  memory: gauge('process.memory.usage', 'By', 'resident memory of the process', [], 'sum'),
  heapUsed: gauge('v8js.memory.heap.used', 'By', 'heap that is in use', ['v8js.heap.space.name'], 'sum'),
  heapLimit: gauge('v8js.memory.heap.limit', 'By', 'heap that may be in use', [], 'sum'),
  cpuTime: counter('process.cpu.time', 's', 'time of the processor', ['cpu.mode']),
  uptime: gauge('process.uptime', 's', 'since the process began', [], 'min'),
} as const satisfies Record<string, MetricDefinition>

/** The short name of a metric of the catalogue. */
export type MetricName = keyof typeof catalogue

function counter(name: string, unit: MetricUnit, text: string, labels: readonly string[]): MetricDefinition {
  return { name, kind: 'counter', unit, text, labels, joined: 'sum' }
}

function histogram(name: string, unit: MetricUnit, text: string, labels: readonly string[]): MetricDefinition {
  return { name, kind: 'histogram', unit, text, labels, joined: 'sum' }
}

function gauge(
  name: string,
  unit: MetricUnit,
  text: string,
  labels: readonly string[],
  joined: Joined,
): MetricDefinition {
  return { name, kind: 'gauge', unit, text, labels, joined }
}
