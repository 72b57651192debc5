// The composition of one thread of the embedded composition: some of the partitions, over journals of the thread that
// has started this one. It loads the unit's file itself, because functions cannot be sent.
import { PlenumError } from './kernel/index.ts'
import { newIds, newPartitions } from './embedded-partitions.ts'
import { Router, SpaceClient } from './router/index.ts'
import type { ThreadPort } from './runtime/index.ts'
import { loadAsBefore, nodeRuntime, RunCells, startedBy, watchImports } from './runtime/node/index.ts'
import {
  Line,
  RemoteJournal,
  sentEvent,
  ThreadHost,
  type LoadedFiles,
  type LoadedUnit,
  type OwnerSubjects,
  type ThreadData,
  type ThreadSubjects,
} from './threads/index.ts'
import { loadUnitFile, resolveUnit, unfilled, type Outside, type ResolvedUnit } from './unit/index.ts'

/** Turns of the loop that are shown to whoever watches this thread, within the time that a run may take. */
const turnsShown = 4

interface Loaded {
  readonly unit: ResolvedUnit
  readonly uses: Readonly<Record<string, unknown>>
}

/** One thread: its way to the others, and what its unit needs. */
class EmbeddedThread {
  readonly #data: ThreadData
  readonly #runtime = nodeRuntime()
  readonly #line: Line<OwnerSubjects, ThreadSubjects>
  readonly #host: ThreadHost
  readonly #closing = new AbortController()
  readonly #journals: RemoteJournal[] = []
  #loaded: Loaded | undefined
  #outside: Outside | undefined
  #cells: RunCells | undefined

  constructor(port: ThreadPort, data: ThreadData) {
    this.#data = data
    this.#line = new Line(port)
    this.#host = new ThreadHost({
      line: this.#line,
      partitionsTotal: data.partitionsTotal,
      runFor: (call) => this.#cells?.runFor(call),
      soon: (run) => this.#runtime.timers.soon(run),
      load: (files) => this.#load(files),
      open: () => this.#open(),
      fill: () => Math.max(...this.#journals.map((journal) => journal.known)),
      refresh: () => Promise.all(this.#journals.map((journal) => journal.refresh())),
      onClosing: () => this.#closing.abort(),
    })
  }

  /** Answers from now on. */
  serve(): void {
    const { tellsFiles, ahead } = this.#data
    if (tellsFiles) {
      watchImports(
        (file, isPackage) => this.#line.tell('found', { file, isPackage }),
        (file, loaded) => this.#line.tell('loaded', { file, ...loaded }),
      )
    }
    // What fails here fails again, and is told, when the unit is loaded.
    for (const file of ahead) import(file).catch(() => undefined)
    this.#host.serve()
  }

  async #load(files: LoadedFiles): Promise<LoadedUnit> {
    if (Object.keys(files).length > 0) loadAsBefore(files)
    const { module, limits, development } = this.#data
    const { definition, uses } = await loadUnitFile(module)
    const unit = resolveUnit(definition, { runtime: this.#runtime, limits, checkAll: development })
    const isUsed = unit.services.size + unit.sinks.length > 0
    const missing = isUsed ? unfilled(definition.uses, uses) : undefined
    if (missing !== undefined) throw usesMissing(unit.name, missing, module)
    this.#loaded = { unit, uses }
    return { name: unit.name, hash: unit.hash, layouts: unit.layouts, functions: unit.functions }
  }

  #open(): ReturnType<typeof newPartitions> {
    const loaded = this.#loaded
    if (loaded === undefined) throw new PlenumError('INVARIANT_BROKEN', 'A thread loads its unit before it starts.')
    const { unit } = loaded
    const { limits, cells: memory, partitions } = this.#data
    const cells = new RunCells(memory, unit.functions)
    this.#cells = cells
    setInterval(() => cells.turned(), Math.max(1, limits.handlerMsMax / turnsShown))
    const line = this.#line
    const journals = partitions.map((one) => {
      const journal = new RemoteJournal({ ...one, line, partition: one.number })
      this.#journals.push(journal)
      return [one.number, { id: one.journalId, journal }] as const
    })
    return newPartitions({
      ...this.#data,
      unit,
      runtime: this.#runtime,
      journals: new Map(journals),
      watch: unit.functions.length === 0 ? undefined : cells,
      outside: () => (this.#outside ??= this.#newOutside(loaded)),
      ask: this.#host.ask,
      makeRoom: this.#host.makeRoomForAll,
      onEvent: (partition, event) => line.tell('event', { partition, event: sentEvent(event) }),
    })
  }

  /** What services have: asked for when the partitions serve. */
  #newOutside({ unit, uses }: Loaded): Outside {
    const { limits } = this.#data
    const runtime = this.#runtime
    const router = new Router(this.#host.channels, runtime, limits)
    const space = new SpaceClient(router, unit.types, limits, newIds(runtime))
    return { space, uses, timers: runtime.timers, closing: this.#closing.signal }
  }
}

function usesMissing(unit: string, name: string, module: string): PlenumError {
  return new PlenumError(
    'USAGE',
    `Unit '${unit}' has services or sinks, which run in threads beside the data, and uses '${name}', which a thread cannot be sent. ` +
      'Export it from the file of the unit: `export const uses = { … }`, or a function that returns it.',
    { details: { option: 'uses', name, module } },
  )
}

const { port, data } = startedBy()
new EmbeddedThread(port, data as ThreadData).serve()
