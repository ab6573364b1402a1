/**
 * The numbers 0, 1, 2 … in a shape, row by row, as the counters of random draws are: along axes behind the first one that is
 * of an unknown size they are computed from positions, as a reshape could not move them.
 */
import { build, typeOf } from '../../../src/lang/build.ts'
import { productOf } from '../../../src/lang/dim.ts'
import type { Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { isSame, type Thrice, thrice } from './trials.ts'

const isNumbering = ({ op, args: [of] }: Node): boolean =>
  op === 'reshape' && of!.op === 'iota' && of!.params.shape.length === 1

/** `nodes` with the numbers of each as sums of positions times what lies between them, where the trials need that. */
export const numbered = (nodes: Thrice<Node>): Thrice<Node> => {
  if (!nodes.every(isNumbering)) return nodes
  const shapes = thrice(nodes, (n) => typeOf(n).shape)
  if (!isSame(thrice(shapes, (s) => s.length))) return nodes
  const axes = shapes[0].flatMap((_, axis) => (shapes.every((s) => s[axis] === 1) ? [] : [axis]))
  if (axes.slice(1).every((axis) => isSame(thrice(shapes, (s) => s[axis])))) return nodes
  return thrice(nodes, (n) => {
    const type = typeOf(n)
    const along = axes.map((axis): Node => {
      const stride = productOf(type.shape.slice(axis + 1), (d) => d)
      return build.mul([build.iota([], { ...type, axis }), fill(build, type, stride)], {})
    })
    return along.reduce((a, b) => build.add([a, b], {}))
  })
}
