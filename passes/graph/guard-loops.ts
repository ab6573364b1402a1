/**
 * Loops without a known end in a branch: all branches are computed, and a loop that nobody asked for might never stop. It
 * asks whether its branch is taken before every turn.
 */
import { build, typeOf } from '../../src/lang/build.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/topological.ts'
import { graphKit, rebuild } from '../../src/lang/trace.ts'
import { graphsOf } from './inner-graphs.ts'

/** Whether a while stands in the graph, or in a graph inside it. */
export const holdsWhile = ({ outputs }: Graph): boolean =>
  topological(outputs).some((n) => n.op === 'while' || graphsOf(n).some(holdsWhile))

/** `graph` with one more input, a bool, without which no while inside it has a turn. */
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

/** What stands for `n` on `args`. A loop hands the bool on as a tensor that stays the same from turn to turn. */
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
