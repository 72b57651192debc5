import type { RecordedOperation } from './operations.ts'

/** One comes before another, and why. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly why: string
}

type Moments = Pick<RecordedOperation, 'invoked' | 'completed' | 'op'>

/**
 * A shortest circle among nodes that stand in these relations, and in real time: whoever had completed before another
 * was invoked came before it. Undefined if there is none. `moments` of the nodes, in their order.
 */
export function circleIn(
  nodes: number,
  given: readonly Edge[],
  moments: readonly Moments[],
): readonly Edge[] | undefined {
  const { edges, all } = withRealTime(nodes, given, moments)
  const out: Edge[][] = Array.from({ length: all }, () => [])
  for (const edge of edges) out[edge.from]!.push(edge)
  const component = components(out)
  let best: readonly Edge[] | undefined
  for (const { from, to, why } of given) {
    if (component[from] !== component[to]) continue
    const back = pathWithin(out, component, to, from)
    if (back === undefined || (best !== undefined && back.length + 1 >= best.length)) continue
    best = [{ from, to, why }, ...back]
  }
  return best?.filter(({ from }) => from < nodes)
}

/**
 * The relations of real time as a chain of moments, so that there are as many as nodes and not as many as pairs: a node
 * points to the moment of its completion, moments to the next one, and the last before an invocation to its node.
 */
function withRealTime(
  nodes: number,
  given: readonly Edge[],
  moments: readonly Moments[],
): { readonly edges: readonly Edge[]; readonly all: number } {
  const edges = [...given]
  const completed = moments
    .map(({ completed: at }, node) => ({ at, node }))
    .filter(({ at }) => at !== Infinity)
    .toSorted((a, b) => a.at - b.at)
  completed.forEach(({ node }, at) => {
    edges.push({ from: node, to: nodes + at, why: 'what began after it was over' })
    if (at > 0) edges.push({ from: nodes + at - 1, to: nodes + at, why: '' })
  })
  moments.forEach(({ invoked, op }, node) => {
    const before = completed.findLastIndex(({ at }) => at < invoked)
    if (before >= 0) edges.push({ from: nodes + before, to: node, why: `${op}` })
  })
  return { edges, all: nodes + completed.length }
}

/** The number of each node's strongly connected component (Tarjan 1972, without recursion). */
function components(out: readonly (readonly Edge[])[]): readonly number[] {
  const index = Array.from<number>({ length: out.length }).fill(-1)
  const low = [...index]
  const component = [...index]
  const stack: number[] = []
  let count = 0
  let found = 0
  for (const root of out.keys()) {
    if (index[root] !== -1) continue
    const work: { node: number; next: number }[] = [{ node: root, next: 0 }]
    while (work.length > 0) {
      const top = work.at(-1)!
      const { node } = top
      if (top.next === 0) {
        index[node] = low[node] = count++
        stack.push(node)
      }
      const edge = out[node]![top.next++]
      if (edge !== undefined) {
        if (index[edge.to] === -1) work.push({ node: edge.to, next: 0 })
        else if (component[edge.to] === -1) low[node] = Math.min(low[node]!, index[edge.to]!)
        continue
      }
      work.pop()
      const parent = work.at(-1)?.node
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[node]!)
      if (low[node] !== index[node]) continue
      for (let one = stack.pop()!; ; one = stack.pop()!) {
        component[one] = found
        if (one === node) break
      }
      found += 1
    }
  }
  return component
}

/** A shortest way from one node to another of its component. */
function pathWithin(
  out: readonly (readonly Edge[])[],
  component: readonly number[],
  from: number,
  to: number,
): readonly Edge[] | undefined {
  const came = new Map<number, Edge | undefined>([[from, undefined]])
  for (const node of came.keys()) {
    if (node === to) break
    for (const edge of out[node]!) {
      if (component[edge.to] === component[to] && !came.has(edge.to)) came.set(edge.to, edge)
    }
  }
  if (!came.has(to)) return undefined
  const path: Edge[] = []
  for (let edge = came.get(to); edge !== undefined; edge = came.get(edge.from)) path.unshift(edge)
  return path
}
