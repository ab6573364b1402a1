/** Forward mode: the tangents of a graph's outputs from those of its inputs, one row of the primitive table a node. */
import * as E from '#fp/Either'
import { build } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import type { JvpMode, Linear, Primitive } from '../../src/lang/primitive.ts'
import { inheritSite } from '../../src/lang/provenance.ts'
import { dependents, graphKit } from '../../src/lang/trace.ts'

/** Tangents of all outputs of one node, or undefined when all are zero. `tangentOf(a)` is that of a's first output. */
const tangentsOfNode = (
  n: Node,
  tangents: ReadonlyMap<Node, readonly Linear[]>,
  mode: JvpMode,
): readonly Linear[] | undefined => {
  if (E.isLeft(n.type)) return undefined
  if (n.op === 'get') return [tangents.get(n.args[0]!)?.[n.params.index]]
  const given = n.args.map((a) => tangents.get(a)?.[0])
  if (given.every((t) => t === undefined)) return undefined
  const row = primitives[n.op] as Primitive<unknown>
  const types = n.type.right
  const found = row.jvp({
    b: build,
    args: n.args,
    tangents: given,
    params: n.params,
    out: n,
    kit: graphKit,
    walk: (graph, inner) => jvpGraph(graph, inner, mode),
    mode,
  })
  return types.map((t, i) => (isFloat(t.dtype) ? found[i] : undefined))
}

/**
 * Tangents of the outputs of `graph`, given one per input. `undefined` is zero and never becomes a node; integers, bools
 * and ill-typed nodes have none. `mode` matters to functions with derivatives of their own: some have none forward. Nodes of the graph are used as they are, only tangent nodes are added.
 */
export const jvpGraph = (graph: Graph, tangents: readonly Linear[], mode: JvpMode = 'forward'): readonly Linear[] => {
  const known = new Map<Node, readonly Linear[]>()
  const active = graph.inputs.filter((n, i) => {
    if (tangents[i] === undefined) return false
    known.set(n, [tangents[i]])
    return true
  })
  for (const n of dependents(graph.outputs, active)) {
    if (known.has(n)) continue
    const found = tangentsOfNode(n, known, mode)
    if (!found?.some((t) => t !== undefined)) continue
    for (const t of found) if (t) inheritSite(t, n)
    known.set(n, found)
  }
  return graph.outputs.map((n) => known.get(n)?.[0])
}
