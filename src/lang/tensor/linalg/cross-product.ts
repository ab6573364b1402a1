/** The vector product. */
import * as E from '#fp/Either'
import type { Node } from '../../ir.ts'
import { normaliseAxis } from '../../shape.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { dualWith } from '../dual.ts'
import { binaryNode } from '../math/arithmetic.ts'
import { isIll, refuse, unify } from '../operand.ts'
import { type AlongOptions, alongOptions } from '../shape/joining.ts'
import { rollNode } from '../shape/reordering.ts'

type Cross = {
  (a: Tensor, b: Tensor, options?: AlongOptions): Tensor
  (b: Tensor, options?: AlongOptions): (a: Tensor) => Tensor
}

/**
 * The cross product of vectors of three along `axis` (the last) of operands that broadcast; dtypes promote (array API linalg.cross,
 * numpy.cross, torch.linalg.cross). ShapeError for another size of the axis, and for bool.
 * @example
 * T.reference(T.cross(T.tensor([1, 0, 0]), T.tensor([0, 1, 0]))).data // => [0, 0, 1]
 */
export const cross: Cross = dualWith(
  'T.cross',
  2,
  alongOptions,
  (a: Operand, b: Operand, { axis = -1 }: AlongOptions = {}) =>
    unify('T.cross', [a, b], 'promote', ([x, y], { shape, dtype }) => {
      const wrong = (reason: string, at = axis): Node => refuse('T.cross', [x!, y!], { reason, axis: at })
      if (dtype === 'bool') return wrong('not defined on bool')
      const at = normaliseAxis(axis, shape.length)
      if (E.isLeft(at)) return wrong(at.left)
      if (shape[at.right] !== 3) return wrong(`axis ${axis} has size ${shape[at.right]}, not 3`, at.right)
      const turned = (n: Node, by: number): Node => (isIll(n) ? n : rollNode(n, at.right, by))
      const half = (p: Node, q: Node): Node => binaryNode('mul', turned(p, -1), turned(q, -2))
      return binaryNode('sub', half(x!, y!), half(y!, x!))
    }),
)
