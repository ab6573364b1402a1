/**
 * Loop fusion: scans with the same loop-carried values become one. A derivative contains its function's loop a second
 * time, with residuals or tangents added; the function's own values are outputs of that loop as well.
 */
import { right } from '#fp/Either'
import { build, typeOf } from '../../src/lang/build.ts'
import type { Graph, Node, NodeOf } from '../../src/lang/ir.ts'
import { outputsOf } from '../../src/lang/ops/closed-graphs.ts'
import { topological } from '../../src/lang/topological.ts'
import { dependents, graphKit, rebuild } from '../../src/lang/trace.ts'
import type { Pass } from '../pass.ts'

type Scan = NodeOf<'scan'>

/** A merged loop, and which of its outputs each output of the smaller one is. */
interface Merged {
  readonly node: Node
  readonly outputs: readonly number[]
}

/**
 * The operands of `small` among those of `large`: carries by position, the others by identity; missing ones are added.
 */
const operandsOf = (
  large: Scan,
  small: Scan,
): { readonly args: readonly Node[]; readonly at: readonly number[]; readonly slices: number } => {
  const { carries, slices } = large.params
  const cut = large.args.slice(carries, carries + slices)
  const rest = large.args.slice(carries + slices)
  const find = (list: Node[], n: Node): number => {
    const i = list.indexOf(n)
    return i < 0 ? list.push(n) - 1 : i
  }
  const own = small.args.map((n, i) => {
    if (i < small.params.carries) return ['carry', i] as const
    const isSlice = i < small.params.carries + small.params.slices
    return isSlice ? (['slice', find(cut, n)] as const) : (['rest', find(rest, n)] as const)
  })
  const start = { carry: 0, slice: carries, rest: carries + cut.length }
  return {
    args: [...large.args.slice(0, carries), ...cut, ...rest],
    at: own.map(([kind, i]) => start[kind] + i),
    slices: cut.length,
  }
}

const sameLoop = (a: Scan, b: Scan): boolean =>
  a.params.length === b.params.length &&
  a.params.reverse === b.params.reverse &&
  a.params.carries <= b.params.carries &&
  a.args.slice(0, a.params.carries).every((n, i) => n === b.args[i])

/**
 * `small` merged into `large`, if all its loop-carried values take the same sequence of values there; else undefined.
 */
const merge = (large: Scan, small: Scan): Merged | undefined => {
  const { carries, length, reverse } = large.params
  const { args, at, slices } = operandsOf(large, small)
  const isSlice = (i: number): boolean => i >= carries && i < carries + slices
  const inputs = graphKit.fresh(
    args.map((n, i) => {
      const { shape, dtype } = typeOf(n)
      return { shape: isSlice(i) ? shape.slice(1) : shape, dtype }
    }),
  )
  const largeAt = operandsOf({ ...large, args } as Scan, large).at
  const own = graphKit.instantiate(
    large.params.body,
    large.args.map((_, i) => inputs[largeAt[i]!]!),
  )
  const other = graphKit.instantiate(
    small.params.body,
    at.map((i) => inputs[i]!),
  )
  const mine = small.params.carries
  if (other.slice(0, mine).some((n, i) => n !== own[i])) return undefined
  const results = [...own]
  const outputs = other.map((n, i) => {
    if (i < mine) return i
    const found = results.indexOf(n, carries)
    return found < 0 ? results.push(n) - 1 : found
  })
  const body = graphKit.close({ inputs, outputs: results })
  return { node: build.scan(args, { body, carries, slices, length, reverse }), outputs }
}

/** `graph` with one pair of loops merged, or undefined when there is none. */
const mergeOnce = (graph: Graph): Graph | undefined => {
  const order = topological(graph.outputs)
  const scans = order.filter((n): n is Scan & Node => n.op === 'scan')
  for (const large of scans) {
    for (const small of scans) {
      if (small === large || !sameLoop(small, large)) continue
      // A loop that depends on the other's results cannot be merged with it.
      if (dependents(large.args, [small]).length > 0 || dependents(small.args, [large]).length > 0) continue
      const merged = merge(large, small)
      if (!merged) continue
      const made = outputsOf(build, merged.node, graphOutputs(merged.node))
      const placed = new Map<Node, Node>()
      const at = (n: Node): Node => placed.get(n) ?? n
      for (const n of order) {
        const source = n.op === 'get' ? n.args[0]! : n
        if (source === small) placed.set(n, made[merged.outputs[n.op === 'get' ? n.params.index : 0]!]!)
        else if (source === large) placed.set(n, made[n.op === 'get' ? n.params.index : 0]!)
        else placed.set(n, rebuild(n, n.args.map(at)))
      }
      return { inputs: graph.inputs, outputs: graph.outputs.map(at) }
    }
  }
  return undefined
}

const graphOutputs = (n: Node): number => (n as Scan).params.body.outputs.length

/** Merges loops until no pair is left that can be merged. */
export const mergeScans: Pass<Graph, Graph> = {
  name: 'merge scans',
  run: (graph) => {
    let current = graph
    for (let next = mergeOnce(current); next; next = mergeOnce(current)) current = next
    return right(current)
  },
}
