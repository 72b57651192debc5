// Workflows of Plenum beside Restate: instances whose steps are each kept before the next one begins.
import type { Bench } from '../harness/bench.ts'
import type { Remote } from '../harness/remote.ts'
import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { missingRestate, startRestate } from '../servers/restate-server.ts'
import type { WorkflowBench } from '../subjects/workflow-bench.ts'
import { startRawDisk } from './subjects.ts'
import { chainWork, judgedInFlight, plenumName, restateName, stepCounts, workflowTargets } from './workflow-targets.ts'

/** What an application gets that does not ask for another number. */
const partitions = 4
/** Bytes of a write of the anchor: a page. */
const anchorBytes = 4_096

/** A runner of workflows under measurement. */
interface Contestant {
  readonly subject: string
  readonly ack: 'memory' | 'disk'
  readonly remote: Remote<WorkflowBench>
  readonly hash: string
}

/** Workflows beside Restate. */
export const workflows: Suite = { ...workflowsOf(true), onlyNamed: true, missing: missingRestate }

/** The same without the server: Plenum alone needs nothing but this checkout. */
export function workflowsOf(withServer: boolean): Suite {
  return {
    name: 'workflows',
    measures:
      'Instances of a workflow of 1, 3 and 9 steps in a chain, each of which needs the result of the one before and does ' +
      'nothing else: started by callers that wait for the result and then start the next one, 50 and 500 at the same time. ' +
      "In memory, and durable (disk) beside Restate's single server. The raw disk is written and synced before and after.",
    leavesOut:
      'steps that change data (with Restate they are another system), waits, failures and undoing, instances of several ' +
      'processes, Plenum over a network. Callers, workflows and Plenum share one process; Restate has a process of its own, ' +
      'and a second core where the machine has one. DBOS is not measured.',
    async run(bench) {
      const rows: Row[] = []
      const notes = new Set<string>()
      await using raw = await startRawDisk(bench)
      const anchor = (when: string) =>
        inTurn(1, [
          {
            row: {
              subject: 'raw disk',
              work: `write + fdatasync of ${anchorBytes.toLocaleString('en-US')} B, ${when}`,
              ack: 'disk',
              inFlight: 1,
            },
            measure: () => raw.subject.writeAndSync(anchorBytes, bench.options.seconds),
          },
        ])
      rows.push(...(await anchor('before')))
      await using memory = await bench.start('plenum-workflows', { ...plenum(bench), ack: 'memory', folder: undefined })
      rows.push(...(await measured(bench, [await contestant(notes, plenumName, 'memory', memory)])))
      const folder = await bench.folder()
      await using disk = await bench.start('plenum-workflows', { ...plenum(bench), ack: 'disk', folder })
      const durable = [await contestant(notes, plenumName, 'disk', disk)]
      if (withServer) {
        const { server, ...ports } = await startRestate(await bench.folder())
        bench.keep(server)
        await server.answering()
        await using restate = await bench.start('restate-workflows', ports)
        rows.push(...(await measured(bench, [...durable, await contestant(notes, restateName, 'disk', restate)])))
      } else rows.push(...(await measured(bench, durable)))
      rows.push(...(await anchor('after')))
      return { rows, notes: [...notes], targets: withServer && !bench.options.small ? workflowTargets(rows) : [] }
    },
  }
}

function plenum(bench: Bench): { readonly partitions: number; readonly concurrency: number } {
  return { partitions, concurrency: bench.sized(judgedInFlight, 50) }
}

async function contestant(
  notes: Set<string>,
  subject: string,
  ack: 'memory' | 'disk',
  remote: Remote<WorkflowBench>,
): Promise<Contestant> {
  notes.add(await remote.subject.about())
  return { subject, ack, remote, hash: await remote.subject.proof() }
}

async function measured(bench: Bench, contestants: readonly Contestant[]): Promise<readonly Row[]> {
  const { seconds, rounds } = bench.options
  const rows: Row[] = []
  for (const inFlight of bench.sized([50, judgedInFlight], [10])) {
    for (const steps of bench.sized(stepCounts, [3])) {
      bench.say(`${contestants[0]?.ack}, ${chainWork(steps)}, ${inFlight} at the same time`)
      const contenders = contestants.map(({ subject, ack, remote, hash }): Contender => ({
        row: { subject, work: chainWork(steps), ack, inFlight, hash },
        measure: () => remote.subject.instances(steps, inFlight, seconds),
      }))
      rows.push(...(await inTurn(rounds, contenders)))
    }
  }
  return rows
}
