/** Invariants of a graph at each stage of the pipeline, checked between passes in tests and when debugging. */
import * as E from '#fp/Either'
import { showOperand } from '../src/lang/errors.ts'
import type { Graph, Node, Op, ParamsOf, TensorType } from '../src/lang/ir.ts'
import { primitives } from '../src/lang/ops/primitive-table.ts'
import type { Primitive } from '../src/lang/primitive.ts'
import { topological } from '../src/lang/topological.ts'

/** The stage of a graph: as traced, after the shape check, or ready for lowering. */
export type GraphStage = 'traced' | 'checked' | 'lowered'

/** What a stage forbids. */
interface Stage {
  readonly illTyped: boolean
  readonly forbidden: readonly Op[]
}

const stages: { readonly [S in GraphStage]: Stage } = {
  traced: { illTyped: true, forbidden: [] },
  checked: { illTyped: false, forbidden: [] },
  lowered: { illTyped: false, forbidden: ['stopGradient', 'observe', 'customCall', 'customLinear', 'cond'] },
}

const show = (types: readonly TensorType[]): string => types.map(showOperand).join(', ')

/**
 * The types that the node's primitive infers from those of its arguments; for `get`, from all outputs of its argument.
 */
const inferred = (n: Node): string => {
  const all = n.args.map((a) => (E.isRight(a.type) ? a.type.right : []))
  const xs = n.op === 'get' ? all[0]! : all.map((types) => types[0]!)
  const found = (primitives[n.op] as Primitive<ParamsOf[Op]>).infer(xs, n.params)
  return E.isRight(found) ? show(found.right) : `a refusal: ${found.left.reason}`
}

const wrongNode = (n: Node, stage: Stage, inputs: ReadonlySet<Node>): string | undefined => {
  const name = `node ${n.id} (${n.op})`
  if (E.isLeft(n.type)) return stage.illTyped ? undefined : `${name} is ill-typed: ${n.type.left.reason}`
  if (n.op === 'input' && !inputs.has(n)) return `${name} is not an input of the graph`
  if (stage.forbidden.includes(n.op)) return `${name} may not occur at this stage`
  const younger = n.args.find((a) => a.id >= n.id)
  if (younger) return `${name} is older than its argument ${younger.id}`
  const types = inferred(n)
  return types === show(n.type.right) ? undefined : `${name} has type ${show(n.type.right)}, its row infers ${types}`
}

/**
 * Everything that is wrong with `graph` at `stage`; nothing, for a legal one: all inputs are the graph's own and
 * distinct, every type is what its row infers, arguments are older than what uses them, no forbidden op. Linear in the
 * graph.
 */
export const verifyGraph = (graph: Graph, stage: GraphStage): readonly string[] => {
  const inputs = new Set<Node>(graph.inputs)
  const twice = inputs.size < graph.inputs.length ? ['an input is listed twice'] : []
  const rules = stages[stage]
  return [...twice, ...topological(graph.outputs).flatMap((n) => wrongNode(n, rules, inputs) ?? [])]
}
