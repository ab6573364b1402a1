/**
 * Linearisation: a graph and its tangent program side by side. On an explicit graph nothing has to be recorded: the
 * linear part is simply the nodes that depend on the fresh tangent inputs; the rest of them are residuals.
 */
import { freshInputs } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import type { Graph, Node, NodeOf } from '../../src/lang/ir.ts'
import type { JvpMode, Linear } from '../../src/lang/primitive.ts'
import { openCalls } from '../graph/inline.ts'
import { jvpGraph } from './jvp.ts'

/** The tangents of a graph's outputs, linear in `inputs`: one fresh node per float input of the graph. */
export interface Linearised {
  /** The graph's outputs, functions with a reverse rule in the form that this rule differentiates. */
  readonly outputs: readonly Node[]
  readonly tangents: readonly Linear[]
  readonly inputs: readonly (NodeOf<'input'> | undefined)[]
}

/** Linearises `graph` in its float inputs, around whatever they will be: to be transposed, unless `mode` is 'forward'. */
export const linearise = (graph: Graph, mode: JvpMode = 'reverse'): Linearised => {
  const fresh = freshInputs(graph.inputs.map((n) => n.params))
  const inputs = graph.inputs.map((n, i) => (isFloat(n.params.dtype) ? fresh[i] : undefined))
  const tangents = jvpGraph(graph, inputs, mode)
  const found = openCalls([...graph.outputs, ...tangents.filter((t) => t !== undefined)], graph.inputs)
  let next = graph.outputs.length
  return {
    outputs: found.slice(0, next),
    tangents: tangents.map((t) => t && found[next++]),
    inputs,
  }
}
