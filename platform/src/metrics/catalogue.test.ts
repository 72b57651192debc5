import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { catalogue, type MetricDefinition } from './catalogue.ts'

const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
const lines = page.split('\n').filter((line) => /^\| `[a-z0-9]+\.[a-z0-9._]+` \|/.test(line))

function lineOf({ name, kind, unit, labels, text }: MetricDefinition): string {
  const words = unit === '1' ? 'share' : unit.replaceAll(/[{}]/g, '')
  return `| \`${name}\` | ${kind} | ${words} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${text} |`
}

test('[DG3] the page of metrics lists each with its kind, unit, labels and sentence, and none besides', () => {
  const normal = (line: string): string => line.replaceAll(/ +/g, ' ')
  const expected = Object.values(catalogue).map((definition) => normal(lineOf(definition)))
  expect(lines.map(normal).toSorted()).toEqual(expected.toSorted())
})

test('[DG3] no two metrics have one name, and labels are names of declarations', () => {
  const names = Object.values(catalogue).map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const labels = new Set(Object.values(catalogue).flatMap((definition) => definition.labels))
  expect([...labels].toSorted()).toEqual([
    'cpu.mode',
    'db.collection.name',
    'db.operation.name',
    'db.system.name',
    'error.type',
    'messaging.destination.name',
    'messaging.system',
    'nodejs.eventloop.state',
    'plenum.event',
    'plenum.outcome',
    'plenum.part',
    'plenum.partition',
    'plenum.role',
    'plenum.schedule',
    'plenum.worker',
    'v8js.heap.space.name',
  ])
})
