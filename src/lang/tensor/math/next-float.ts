/** The neighbours of floating-point numbers, by their bits. */
import { build } from '../../build.ts'
import type { Node } from '../../ir.ts'
import type { FloatArithmetic } from '../../types/broadcast.ts'
import type { Operand } from '../../types/tensor.ts'
import { dual } from '../dual.ts'
import { refuse, unify } from '../operand.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'

/**
 * The next f32 after `a` towards `b`; `b` where they are equal, NaN where either is (C's nextafter). Shapes broadcast;
 * f32 for integers and bool. A step of the grid of numbers: the derivative is 0. ShapeError for 16-bit floats.
 * @example
 * T.reference(T.bitcast(T.nextafter(T.tensor([1.5]), T.tensor([2.5])), 'i32')).data // => [0x3fc00001]
 */
export const nextafter: FloatArithmetic<'nextafter'> = dual('T.nextafter', 2, (a: Operand, b: Operand) =>
  unify('T.nextafter', [a, b], 'float', ([x, y], type) => {
    if (type.dtype !== 'f32')
      return refuse('T.nextafter', [x!, y!], { reason: `not defined on ${type.dtype}`, hint: 'cast to f32 first' })
    const int = { shape: type.shape, dtype: 'i32' } as const
    const [zero, one, least] = [0, 1, -(2 ** 31)].map((v) => likeNode(v, int)) as [Node, Node, Node]
    // Magnitude and sign turned into whole numbers in the order of the floats, and back: one map is its own inverse.
    const turn = (bits: Node): Node => selectNode(binaryNode('lt', bits, zero), binaryNode('sub', least, bits), bits)
    const [from, to] = [x!, y!].map((n) => turn(build.bitcast([n], { dtype: 'i32' }))) as [Node, Node]
    const up = binaryNode('lt', from, to)
    const moved = binaryNode('add', from, selectNode(up, one, build.neg([one], {})))
    // From the least negative number upwards lies -0.
    const negativeZero = binaryNode('and', binaryNode('eq', moved, zero), up)
    const stepped = build.bitcast([selectNode(negativeZero, least, turn(moved))], { dtype: 'f32' })
    const nan = binaryNode('or', build.isNan([x!], {}), build.isNan([y!], {}))
    const other = selectNode(binaryNode('eq', from, to), y!, stepped)
    return selectNode(nan, likeNode(Number.NaN, type), other)
  }),
)
