/** What one layer of `platform/src` may import besides `kernel/`. */
export interface Layer {
  /** The layers whose values and types it may import. */
  readonly imports: readonly string[] | 'all'
  /** Modules of Node that it may import. None is the rule: the world comes in through `runtime/`. */
  readonly node?: readonly string[] | 'all'
  /** Whether it may use the globals that `bans.ts` keeps from the others. */
  readonly world?: true
}

/**
 * The layers of `platform/src`, lowest first. The linter is configured from this table, and
 * `architecture-table.test.ts` holds the table in ARCHITECTURE.md equal to it.
 */
export const layers: Readonly<Record<string, Layer>> = {
  kernel: { imports: [] },
  metrics: { imports: [] },
  codec: { imports: [] },
  runtime: { imports: ['metrics'], node: 'all', world: true },
  space: { imports: ['codec'] },
  // A checksum of bytes is a pure function, and zlib's is the only fast one.
  journal: { imports: ['codec', 'runtime'], node: ['zlib'] },
  partition: { imports: ['codec', 'metrics', 'runtime', 'space', 'journal'] },
  router: { imports: ['codec', 'runtime', 'space'] },
  unit: { imports: ['codec', 'metrics', 'runtime', 'space', 'partition', 'router'] },
  postgres: { imports: ['space', 'unit'] },
  workflow: { imports: ['codec', 'runtime', 'space', 'router', 'unit'] },
  grid: { imports: ['codec', 'runtime', 'space', 'partition', 'router'] },
  threads: { imports: ['codec', 'runtime', 'space', 'journal', 'partition', 'router'] },
  cli: { imports: 'all', node: 'all', world: true },
  testing: { imports: 'all' },
}
