/**
 * Linearisation: a graph and its tangent program side by side. On an explicit graph nothing has to be recorded: the
 * linear part is simply the nodes that depend on the fresh tangent inputs; the rest of them are residuals.
 */
import { freshInputs } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import type { Graph, NodeOf } from '../../src/lang/ir.ts'
import type { Linear } from '../../src/lang/primitive.ts'
import { jvpGraph } from './jvp.ts'

/** The tangents of a graph's outputs, linear in `inputs`: one fresh node per float input of the graph. */
export interface Linearised {
  readonly tangents: readonly Linear[]
  readonly inputs: readonly (NodeOf<'input'> | undefined)[]
}

/** Linearises `graph` in its float inputs, around whatever they will be. */
export const linearise = (graph: Graph): Linearised => {
  const fresh = freshInputs(graph.inputs.map((n) => n.params))
  const inputs = graph.inputs.map((n, i) => (isFloat(n.params.dtype) ? fresh[i] : undefined))
  return { tangents: jvpGraph(graph, inputs), inputs }
}
