/**
 * Guards for data-dependent loops inside branches. All branches are executed, and the loop of a branch that is not
 * taken might never terminate, so its condition also tests whether the branch is taken.
 */
import { build, typeOf } from '../../src/lang/build.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/topological.ts'
import { graphKit, rebuild } from '../../src/lang/trace.ts'
import { graphsOf } from './inner-graphs.ts'

/** Whether the graph, or a graph nested in it, contains a `while`. */
export const holdsWhile = ({ outputs }: Graph): boolean =>
  topological(outputs).some((n) => n.op === 'while' || graphsOf(n).some(holdsWhile))

/** `graph` with one more input, a bool; where it is false, no `while` inside executes an iteration. */
export const guardLoops = (graph: Graph): Graph => {
  const inputs = graphKit.fresh([...graph.inputs.map(typeOf), { shape: [], dtype: 'bool' }])
  const taken = inputs[inputs.length - 1]!
  const outputs = graphKit.instantiate(graph, inputs.slice(0, -1))
  const placed = new Map<Node, Node>()
  for (const n of topological(outputs)) {
    const args = n.args.map((a) => placed.get(a)!)
    placed.set(n, guarded(n, args, taken))
  }
  return graphKit.close({ inputs, outputs: outputs.map((n) => placed.get(n)!) })
}

/** The replacement of `n` on `args`. A loop passes the bool to its body as a loop-invariant operand. */
const guarded = (n: Node, args: readonly Node[], taken: Node): Node => {
  if (n.op === 'while') {
    const { condition, body } = n.params
    const inside = graphKit.fresh([...condition.inputs.map(typeOf), typeOf(taken)])
    const goesOn = graphKit.instantiate(condition, inside.slice(0, -1))[0]!
    return build.while([...args, taken], {
      ...n.params,
      condition: graphKit.close({ inputs: inside, outputs: [build.and([inside[inside.length - 1]!, goesOn], {})] }),
      body: guardLoops(body),
    })
  }
  if (n.op === 'scan' && holdsWhile(n.params.body))
    return build.scan([...args, taken], { ...n.params, body: guardLoops(n.params.body) })
  return rebuild(n, args)
}
