import { defaultLimits, isPlenumError, type PlenumError } from '../kernel/index.ts'
import { inspectFolder, type InspectedFolder } from '../journal/file/index.ts'
import { recover, upgradeEntries, type UpgradeReport } from '../partition/index.ts'
import { NodeDisk, nodeRuntime, PurityGuard } from '../runtime/node/index.ts'
import { ownLayouts, type EntryUpgrades, type MessageCall } from '../space/index.ts'
import { resolveUnit, unitDefinition, type ResolvedUnit, type Unit } from '../unit/index.ts'

/** What a folder's entries of one type come to, over all partitions. */
export interface TypeSurvey extends UpgradeReport {
  /** What does not fit, the first ones. */
  readonly refusals: PlenumError[]
}

/** Messages that wait, and are not fit for the handler that they are for. */
export interface MessageSurvey {
  readonly handler: string
  waiting: number
  refused: number
  /** Why the first of them is not. */
  reason: string | undefined
}

/** What a unit would meet in a folder. */
export interface UpgradeSurvey {
  readonly partitions: number
  /** Partitions that are not under this unit yet. */
  readonly behind: number
  readonly types: readonly TypeSurvey[]
  /** Entry types that the folder has and the unit does not: their entries stay. */
  readonly left: readonly string[]
  readonly messages: readonly MessageSurvey[]
}

export interface SurveyOptions {
  readonly unit: Unit
  readonly folder: string
  /** Refusals of one type that are kept. */
  readonly refusalsMax: number
  readonly onProgress: (step: string, share: number) => void
}

/**
 * Reads the newest snapshot and what follows it, of each partition, and tries everything under the unit. Changes nothing.
 * Throws the errors of `inspectFolder`, JOURNAL_CORRUPT, and UNIT_MISMATCH where the unit cannot follow at all.
 */
export async function surveyUpgrade(options: SurveyOptions): Promise<UpgradeSurvey> {
  const runtime = nodeRuntime()
  const unit = resolveUnit(unitDefinition(options.unit), { runtime, limits: defaultLimits, checkAll: true })
  const folder = await inspectFolder({
    disk: new NodeDisk(),
    path: options.folder,
    clock: runtime.clock,
    onProgress: ({ bytes, bytesTotal }) => options.onProgress('reading', bytes / Math.max(1, bytesTotal)),
  })
  try {
    if (folder.damage !== undefined) throw folder.damage
    return await surveyed(folder, unit, options)
  } finally {
    await folder.close()
  }
}

async function surveyed(folder: InspectedFolder, unit: ResolvedUnit, options: SurveyOptions): Promise<UpgradeSurvey> {
  const runtime = nodeRuntime()
  const guard = new PurityGuard()
  const upgrades: EntryUpgrades = new Map([...unit.upgrades].map(([name, upgrade]) => [name, upgrade.watched(guard)]))
  const types = new Map<string, TypeSurvey>()
  const messages = new Map<string, MessageSurvey>()
  const left = new Set<string>()
  let behind = 0
  for (const [number, { id, journal }] of folder.partitions.entries()) {
    const recovery = { journal, journalId: id, runtime, limits: defaultLimits, upgrades, onEvent: () => {} }
    const replica = await recover(recovery)
    if (replica.unit !== unit.hash) behind += 1
    const refused: PlenumError[] = []
    const reports = await upgradeEntries(
      replica,
      { layouts: unit.layouts, upgrades },
      {
        number,
        runtime,
        limits: defaultLimits,
        onProgress: (entries, total) => options.onProgress(`trying partition ${number}`, entries / total),
        onRefused(error) {
          if (refused.length < options.refusalsMax * unit.layouts.length) refused.push(error)
        },
      },
    )
    for (const report of reports) addType(types, report, refused, options.refusalsMax)
    for (const { name } of replica.layouts) if (!unit.types.has(name)) left.add(name)
    for (const { value } of replica.machine.table(ownLayouts.message.name).rows())
      addMessage(messages, value['call'] as MessageCall, unit)
  }
  return {
    partitions: folder.partitions.length,
    behind,
    types: [...types.values()],
    left: [...left],
    messages: [...messages.values()],
  }
}

function addType(
  types: Map<string, TypeSurvey>,
  report: UpgradeReport,
  refused: readonly PlenumError[],
  refusalsMax: number,
): void {
  const { type, entries, earlier, changed } = report
  const before = types.get(type)
  const refusals = before?.refusals ?? []
  for (const error of refused) {
    if (refusals.length < refusalsMax && error.details['type'] === type) refusals.push(error)
  }
  types.set(type, {
    type,
    entries: (before?.entries ?? 0) + entries,
    earlier: (before?.earlier ?? 0) + earlier,
    changed: (before?.changed ?? 0) + changed,
    refused: (before?.refused ?? 0) + report.refused,
    refusals,
  })
}

function addMessage(messages: Map<string, MessageSurvey>, call: MessageCall, unit: ResolvedUnit): void {
  const { handler } = call
  let survey = messages.get(handler)
  if (survey === undefined) messages.set(handler, (survey = { handler, waiting: 0, refused: 0, reason: undefined }))
  survey.waiting += 1
  const why = whyUndeliverable(call, unit)
  if (why === undefined) return
  survey.refused += 1
  survey.reason ??= why
}

/** Why a message could not be delivered under the unit; undefined if it could. */
function whyUndeliverable({ handler, input, route }: MessageCall, unit: ResolvedUnit): string | undefined {
  const part = unit.handlers.get(handler)
  if (part === undefined) return 'the unit has no such handler'
  try {
    const admitted = part.admit(input)
    return route === admitted[part.routeField] ? undefined : `its route is '${part.routeField}' now, and was another`
  } catch (error) {
    if (isPlenumError(error)) return error.message
    throw error
  }
}
