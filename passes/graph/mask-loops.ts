/**
 * Data-dependent loops in a form that may safely be iterated too often: one more loop-carried value says whether the
 * loop continues, and once it is false, an iteration leaves all values unchanged. Iterations can then be submitted in
 * chunks, and the host reads only that flag between chunks.
 */
import { right } from '#fp/Either'
import { build, typeOf, typesOf } from '../../src/lang/build.ts'
import type { Graph, Node, NodeOf } from '../../src/lang/ir.ts'
import { graphKit } from '../../src/lang/trace.ts'
import type { Pass } from '../pass.ts'
import { type Rule, rewrite, rule } from '../rewrite.ts'

/** Whether the condition is exactly the last loop-carried value. */
const isMasked = ({ params: { condition, body } }: NodeOf<'while'>): boolean =>
  condition.outputs[0] === condition.inputs[body.outputs.length - 1]

/** The scalar `goes`, broadcast to the shape of `n`. */
const everywhereIn = (goes: Node, n: Node): Node => {
  const { shape } = typeOf(n)
  return shape.length === 0 ? goes : build.broadcast([goes], { shape, axes: shape.map((_, i) => i) })
}

/** The same loop with the flag as its last loop-carried value and last output. */
const masked = (n: NodeOf<'while'>): Node => {
  const { condition, body } = n.params
  const count = body.outputs.length
  const types = n.args.map(typeOf)
  const flag = { shape: [], dtype: 'bool' } as const
  const inputs = graphKit.fresh([...types.slice(0, count), flag, ...types.slice(count)])
  const goes = inputs[count]!
  const [carries, rest] = [inputs.slice(0, count), inputs.slice(count + 1)]
  const next = graphKit.instantiate(body, [...carries, ...rest])
  const kept = next.map((x, i): Node => build.select([everywhereIn(goes, x), x, carries[i]!], {}))
  const goesOn: Node = build.and([goes, graphKit.instantiate(condition, [...next, ...rest])[0]!], {})
  const close = (outputs: readonly Node[]): Graph => graphKit.close({ inputs, outputs })
  const start = graphKit.instantiate(condition, n.args)[0]!
  return build.while([...n.args.slice(0, count), start, ...n.args.slice(count)], {
    ...n.params,
    condition: close([goes]),
    body: close([...kept, goesOn]),
  })
}

/** Rewrites one output of a loop with several outputs. */
const maskOutput: Rule = rule('maskOutput', ['get'], ({ args: [source], params }, b) =>
  source?.op === 'while' && !isMasked(source) ? b.get([masked(source)], params) : undefined,
)

/** Rewrites a loop with a single loop-carried value. */
const maskLoop: Rule = rule('maskLoop', ['while'], (n, b) =>
  !isMasked(n) && typesOf(n).length === 1 ? b.get([masked(n)], { index: 0 }) : undefined,
)

/** Rewrites every `while` into the masked form. */
export const maskLoops: Pass<Graph, Graph> = {
  name: 'mask loops',
  run: (graph) => right(rewrite([maskOutput, maskLoop])(graph)),
}
