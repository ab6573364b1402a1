/** What becomes of functions with derivatives of their own: opened where one is taken, put in place once all are. */
import * as E from '#fp/Either'
import { right } from '#fp/Either'
import { make } from '../../src/lang/build.ts'
import { type Graph, isGraph, type Node, type NodeOf } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/order.ts'
import { dependents, graphKit, instantiate, rebuild } from '../../src/lang/trace.ts'
import type { Pass } from '../pass.ts'

/**
 * `roots` with each customCall for which `bodyOf` names a graph replaced by that graph's first outputs. `order` lists the
 * nodes to look at, arguments first; `inside` maps the graphs that other nodes hold.
 */
const replaceCalls = (
  roots: readonly Node[],
  order: readonly Node[],
  bodyOf: (n: NodeOf<'customCall'>) => Graph | undefined,
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
    const body = n.op === 'customCall' ? bodyOf(n) : undefined
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

const holdsGraphs = (v: unknown): boolean =>
  Array.isArray(v) ? v.some(holdsGraphs) : typeof v === 'object' && v !== null && isGraph(v)

const mapGraphs = (v: unknown, f: (graph: Graph) => Graph): unknown => {
  if (Array.isArray(v)) return v.map((x) => mapGraphs(x, f))
  if (typeof v !== 'object' || v === null || !isGraph(v)) return v
  const mapped = f(v)
  return mapped === v ? v : graphKit.close(mapped)
}

/** `n` with the closed graphs among its parameters mapped; `n` itself when it holds none. */
const withGraphs = (n: Node, f: (graph: Graph) => Graph): Node => {
  if (!Object.values(n.params).some(holdsGraphs)) return n
  const params = Object.fromEntries(Object.entries(n.params).map(([k, v]) => [k, mapGraphs(v, f)]))
  return make(n.op, n.args, params as never)
}

/** Whether something under `roots`, in the graphs of other nodes too, has a reverse rule alone. */
export const isReverseOnly = (roots: readonly Node[]): boolean => {
  const inside = (v: unknown): boolean => {
    if (Array.isArray(v)) return v.some(inside)
    return typeof v === 'object' && v !== null && isGraph(v) && isReverseOnly(v.outputs)
  }
  return topological(roots).some(
    (n) => (n.op === 'customCall' && n.params.kind === 'vjp') || Object.values(n.params).some(inside),
  )
}

/**
 * The nodes with every function that has only a reverse rule replaced by its forward rule, where it depends on `inputs`:
 * what is left has a derivative like any other program, so that forward mode over a gradient works.
 */
export const openCalls = (roots: readonly Node[], inputs: readonly Node[]): readonly Node[] => {
  const order = dependents(roots, inputs)
  if (!order.some((n) => n.op === 'customCall' && n.params.kind === 'vjp')) return roots
  return replaceCalls(roots, order, ({ params }) => (params.kind === 'vjp' ? params.rules[0]! : undefined))
}

/** `graph` with every customCall replaced by what it calls, those inside calls and inside other nodes' graphs too. */
export const inlined = (graph: Graph): Graph => {
  let outputs = graph.outputs
  // One turn a level of calls inside calls.
  for (;;) {
    const order = topological(outputs)
    if (!order.some((n) => Object.values(n.params).some(holdsGraphs))) break
    const next = replaceCalls(outputs, order, ({ params }) => params.call, inlined)
    if (next.every((n, i) => n === outputs[i])) break
    outputs = next
  }
  return outputs === graph.outputs ? graph : { inputs: graph.inputs, outputs }
}

/** No customCall any more: after all derivatives, before anything is simplified. */
export const inlineCalls: Pass<Graph, Graph> = { name: 'inline calls', run: (graph) => right(inlined(graph)) }
