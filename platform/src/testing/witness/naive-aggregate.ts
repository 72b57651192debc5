// Figures of what matches, worked out a second time, one group and one path at a time.
import type { AggregatePart, AggregateRequest, StoredValue } from '../../space/index.ts'
import { canonicalText } from '../checkers/canonical.ts'
import { orderOf } from './naive-order.ts'
import { itemAt } from './naive-query.ts'

/** The parts that a partition must answer with. */
export function aggregated(values: readonly StoredValue[], request: AggregateRequest): readonly AggregatePart[] {
  const paths = request.groupBy ?? []
  const groups = Map.groupBy(values, (value) => canonicalText(itemsOf(value, paths)))
  const parts = [...groups.values()].map((members): AggregatePart => {
    const summed = [...new Set([...(request.sum ?? []), ...(request.avg ?? [])])]
    const numbers = summed.map((path) => [path, members.map((value) => itemAt(value, path)).filter(isNumber)] as const)
    const there = numbers.filter(([, items]) => items.length > 0)
    return {
      group: itemsOf(members[0]!, paths),
      count: members.length,
      sum: Object.fromEntries(
        there.map(([path, items]) => [path, items.reduce((a, b) => (a as number) + (b as number))]),
      ),
      numbers: Object.fromEntries(there.map(([path, items]) => [path, items.length])),
      min: extremes(members, request.min ?? [], 1),
      max: extremes(members, request.max ?? [], -1),
    }
  })
  return parts.toSorted(
    (a, b) => paths.map((path) => orderOf(a.group[path], b.group[path])).find((order) => order !== 0) ?? 0,
  )
}

function itemsOf(value: StoredValue, paths: readonly string[]): StoredValue {
  const items = paths.map((path) => [path, itemAt(value, path)] as const)
  return Object.fromEntries(items.filter(([, item]) => item !== undefined))
}

function extremes(values: readonly StoredValue[], paths: readonly string[], sign: number): StoredValue {
  const found = paths.map((path) => {
    const items = values.map((value) => itemAt(value, path)).filter(isOrdered)
    return [path, items.toSorted((a, b) => orderOf(a, b) * sign)[0]] as const
  })
  return Object.fromEntries(found.filter(([, item]) => item !== undefined))
}

function isNumber(item: unknown): item is number | bigint {
  return typeof item === 'number' || typeof item === 'bigint'
}

function isOrdered(item: unknown): boolean {
  return item !== undefined && typeof item !== 'object'
}
