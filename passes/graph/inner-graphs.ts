/**
 * Nested graphs (loop bodies, branches, called functions): finding them, mapping them, and running a pass on them too.
 */
import * as E from '#fp/Either'
import { make } from '../../src/lang/build.ts'
import { type Graph, isGraph, type Node } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/topological.ts'
import { graphKit, rebuild } from '../../src/lang/trace.ts'
import type { Pass } from '../pass.ts'

const graphsIn = (v: unknown): readonly Graph[] => {
  if (Array.isArray(v)) return v.flatMap(graphsIn)
  return typeof v === 'object' && v !== null && isGraph(v) ? [v] : []
}

/** The nested graphs among the parameters of `n`. */
export const graphsOf = (n: Node): readonly Graph[] => Object.values(n.params).flatMap(graphsIn)

/** Whether `n` has a graph among its parameters. */
export const holdsGraphs = (n: Node): boolean => graphsOf(n).length > 0

const mapGraphs = (v: unknown, f: (graph: Graph) => Graph): unknown => {
  if (Array.isArray(v)) return v.map((x) => mapGraphs(x, f))
  if (typeof v !== 'object' || v === null || !isGraph(v)) return v
  const mapped = f(v)
  return mapped === v ? v : graphKit.close(mapped)
}

/** `n` with its nested graphs mapped; `n` itself when it has none. */
export const withGraphs = (n: Node, f: (graph: Graph) => Graph): Node => {
  if (E.isLeft(n.type) || !holdsGraphs(n)) return n
  const params = Object.fromEntries(Object.entries(n.params).map(([k, v]) => [k, mapGraphs(v, f)]))
  return make(n.op, n.args, params as never)
}

/** `graph` with the nested graphs of all nodes mapped. */
const mapInside = (graph: Graph, f: (inner: Graph) => Graph): Graph => {
  const order = topological(graph.outputs)
  if (!order.some(holdsGraphs)) return graph
  const placed = new Map<Node, Node>()
  for (const n of order) {
    const args = n.args.map((a) => placed.get(a)!)
    placed.set(n, withGraphs(rebuild(n, args), f))
  }
  return { inputs: graph.inputs, outputs: graph.outputs.map((n) => placed.get(n)!) }
}

/** The pass, applied to a graph and to all graphs nested in it, innermost first. */
export const everywhere = (pass: Pass<Graph, Graph>): Pass<Graph, Graph> => {
  const run = (graph: Graph): Graph => {
    const result = pass.run(mapInside(graph, run))
    return E.isRight(result) ? result.right : graph
  }
  return { name: pass.name, run: (graph) => E.right(run(graph)) }
}
