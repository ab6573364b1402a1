/** The same graph made in another order: other ids, other interning, the same meaning. */
import { freshInputs, make } from '../../src/lang/build.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { inheritSite } from '../../src/lang/provenance.ts'
import { topological } from '../../src/lang/topological.ts'

/** `graph` on fresh inputs, its nodes made from the last input, output and operand on. */
export const inOtherOrder = (graph: Graph): Graph => {
  const inputs = graph.inputs.toReversed().map((n) => freshInputs([n.params])[0]!)
  inputs.reverse()
  const made = new Map<Node, Node>(graph.inputs.map((n, i) => [n, inputs[i]!]))
  const known = new Set(topological(graph.outputs))
  const stack = [...graph.outputs]
  while (stack.length > 0) {
    const n = stack[stack.length - 1]!
    const missing = n.args.filter((a) => known.has(a) && !made.has(a))
    if (made.has(n) || missing.length === 0) {
      if (!made.has(n))
        made.set(
          n,
          // Late errors name who called: that goes with a node.
          inheritSite(
            make(
              n.op,
              n.args.map((a) => made.get(a)!),
              n.params as never,
            ),
            n,
          ),
        )
      stack.pop()
    } else stack.push(...missing)
  }
  return { inputs, outputs: graph.outputs.map((n) => made.get(n)!) }
}
