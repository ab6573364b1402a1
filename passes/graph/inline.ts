/**
 * Inlining of calls and branches. They are nodes only so that differentiation can treat them as units: a call is opened
 * where a derivative needs it, and all of them are inlined once derivatives have been taken.
 */
import * as E from '#fp/Either'
import { right } from '#fp/Either'
import { build, typeOf } from '../../src/lang/build.ts'
import { type Graph, isGraph, type Node, type NodeOf } from '../../src/lang/ir.ts'
import { chooseBranch } from '../../src/lang/ops/cond.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'
import { topological } from '../../src/lang/topological.ts'
import { dependents, graphKit, instantiate, rebuild } from '../../src/lang/trace.ts'
import { kernelRules } from '../../src/lang/user-ops.ts'
import type { Pass } from '../pass.ts'
import { guardLoops, holdsWhile } from './guard-loops.ts'
import { holdsGraphs, withGraphs } from './inner-graphs.ts'

/**
 * `roots` with each node for which `bodyOf` returns a graph replaced by the outputs of that graph. `order` lists the
 * nodes to visit in topological order; `inside` maps the graphs nested in other nodes.
 */
const replaceCalls = (
  roots: readonly Node[],
  order: readonly Node[],
  bodyOf: (n: Node) => Graph | undefined,
  inside?: (graph: Graph) => Graph,
): readonly Node[] => {
  const placed = new Map<Node, Node>()
  const opened = new Map<Node, readonly Node[]>()
  const at = (n: Node): Node => placed.get(n) ?? n
  for (const n of order) {
    if (E.isLeft(n.type)) continue
    const source = n.op === 'get' ? opened.get(n.args[0]!) : undefined
    if (source && n.op === 'get') {
      placed.set(n, source[n.params.index]!)
      continue
    }
    const body = bodyOf(n)
    if (body === undefined) {
      placed.set(n, inside ? withGraphs(rebuild(n, n.args.map(at)), inside) : rebuild(n, n.args.map(at)))
      continue
    }
    const outputs = instantiate(body, n.args.map(at))
    opened.set(n, outputs)
    placed.set(n, outputs[0] ?? n)
  }
  return roots.map(at)
}

/** Whether a node reachable from `roots`, nested graphs included, has a reverse rule but no forward rule. */
export const isReverseOnly = (roots: readonly Node[]): boolean => {
  const inside = (v: unknown): boolean => {
    if (Array.isArray(v)) return v.some(inside)
    return typeof v === 'object' && v !== null && isGraph(v) && isReverseOnly(v.outputs)
  }
  return topological(roots).some(
    (n) =>
      (n.op === 'customCall' && n.params.kind === 'vjp') ||
      (n.op === 'kernel' && kernelRules(n.params).jvp === undefined) ||
      Object.values(n.params).some(inside),
  )
}

/**
 * The nodes with every function that depends on `inputs` and has only a reverse rule replaced by the forward pass of
 * that rule. The result can be differentiated in any mode, which forward mode over a gradient needs.
 */
export const openCalls = (roots: readonly Node[], inputs: readonly Node[]): readonly Node[] => {
  const order = dependents(roots, inputs)
  if (!order.some((n) => n.op === 'customCall' && n.params.kind === 'vjp')) return roots
  return replaceCalls(roots, order, (n) =>
    n.op === 'customCall' && n.params.kind === 'vjp' ? n.params.rules[0] : undefined,
  )
}

/** A bool node: whether `index` selects branch `k` of this many. */
const isTaken = (index: Node, k: number, count: number): Node => {
  const flags = Array.from({ length: count }, (_, j) => [fill(build, { shape: [], dtype: 'bool' }, j === k ? 1 : 0)])
  return chooseBranch(build, index, flags)[0]!
}

/** Executes all branches and selects between their results: the lowering of `cond`. */
const everyBranch = ({ params: { branches }, args }: NodeOf<'cond'>): Graph => {
  const inputs = graphKit.fresh(args.map(typeOf))
  const [index, ...operands] = inputs
  const results = branches.map((branch, k) => {
    const g = inlined(branch)
    if (!holdsWhile(g)) return graphKit.instantiate(g, operands)
    return graphKit.instantiate(guardLoops(g), [...operands, isTaken(index!, k, branches.length)])
  })
  return { inputs, outputs: chooseBranch(build, index!, results) }
}

const calledGraph = (n: Node): Graph | undefined =>
  n.op === 'customCall' ? n.params.call : n.op === 'cond' && E.isRight(n.type) ? everyBranch(n) : undefined

/** `graph` with every `customCall` inlined and every `cond` lowered to selects, in nested graphs too. */
export const inlined = (graph: Graph): Graph => {
  let outputs = graph.outputs
  // One iteration per nesting level of calls.
  for (;;) {
    const order = topological(outputs)
    if (!order.some(holdsGraphs)) break
    const next = replaceCalls(outputs, order, calledGraph, inlined)
    if (next.every((n, i) => n === outputs[i])) break
    outputs = next
  }
  return outputs === graph.outputs ? graph : { inputs: graph.inputs, outputs }
}

/** Removes `customCall` and `cond`; runs after differentiation and before simplification. */
export const inlineCalls: Pass<Graph, Graph> = { name: 'inline calls', run: (graph) => right(inlined(graph)) }
