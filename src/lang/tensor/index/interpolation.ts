/** Values between known ones. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { Node } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dualWith } from '../dual.ts'
import { binaryNode, floatNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, expandNode, lift, liftOperand, refuse, reshapeNode, scalar, withTypes } from '../operand.ts'
import { narrowNode } from '../shape/reordering.ts'
import { broadcastNode } from '../shape/reshaping.ts'
import { search } from './searchsorted.ts'

/** What is told before the first point and after the last: their own values, unless something is given. */
export interface InterpOptions {
  readonly left?: Operand | undefined
  readonly right?: Operand | undefined
}

const interpOptions: OptionNames<InterpOptions> = { left: 'operand', right: 'operand' }

type Interp = {
  (xp: Tensor, fp: Tensor, options?: InterpOptions): (x: Operand) => Tensor<Shape, 'f32'>
  (x: Operand, xp: Tensor, fp: Tensor, options?: InterpOptions): Tensor<Shape, 'f32'>
}

/** The line through the points to either side of each x; the slope of two points at one place counts as 0. */
const onLines = (x: Node, xp: Node, fp: Node, n: number): Node => {
  const after = search(xp, x, n, 0, true)
  const like = (v: number): Node => likeNode(v, typeOf(after))
  const high = binaryNode('max', like(1), binaryNode('min', after, like(n - 1)))
  const low = binaryNode('sub', high, like(1))
  const at = (points: Node, i: Node): Node => build.gather([points, i], { batch: 0 })
  const [x0, x1, f0, f1] = [at(xp, low), at(xp, high), at(fp, low), at(fp, high)] as [Node, Node, Node, Node]
  const type = typeOf(x)
  const width = binaryNode('sub', x1, x0)
  const isPoint = binaryNode('eq', width, likeNode(0, type))
  const slope = binaryNode('div', binaryNode('sub', f1, f0), selectNode(isPoint, likeNode(1, type), width))
  const rise = binaryNode('mul', binaryNode('sub', x, x0), selectNode(isPoint, likeNode(0, type), slope))
  // The upper point as it is: the line may miss it by a rounding.
  return selectNode(binaryNode('eq', x, x1), f1, binaryNode('add', f0, rise))
}

/**
 * The piecewise linear function through the points (`xp`, `fp`), vectors of one length with xp ascending, at each `x`, of any shape
 * (numpy.interp): f32. Before the first point it is fp's first value, after the last its last, or `left` and `right` (numbers, or tensors
 * that broadcast to x's shape). NaN gives NaN. The gradient reaches all. ShapeError for points that are no two vectors of one length, at least
 * 1.
 * @example
 * T.reference(T.interp(T.tensor([0.5, 2, 9]), T.tensor([0, 1, 3]), T.tensor([0, 10, 20]))).data // => [5, 15, 20]
 */
export const interp: Interp = dualWith(
  'T.interp',
  3,
  interpOptions,
  (given: Operand, xp: Tensor, fp: Tensor, { left, right }: InterpOptions = {}) => {
    const name = 'T.interp'
    const first = liftOperand(name, given, 0)
    const nodes = [typeof first === 'object' ? first : scalar(first, 'f32'), lift(name, xp, 1), lift(name, fp, 2)]
    const ends = [left, right].map((end) => (typeof end === 'object' ? [lift(name, end, 3)] : []))
    return tensorOf(
      withTypes(name, [...nodes, ...ends.flat()], (types) => {
        const [n] = types[1]!.shape
        if (types[1]!.shape.length !== 1 || n === 0 || showShape(types[1]!.shape) !== showShape(types[2]!.shape))
          return refuse(name, nodes, {
            reason: `points of shapes ${showShape(types[1]!.shape)} and ${showShape(types[2]!.shape)} are not two vectors of one length, at least 1`,
          })
        const [x, xs, fs] = nodes.map((m, i) => castNode(floatNode(m, types[i]!.dtype), 'f32')) as [Node, Node, Node]
        const type = typeOf(x)
        const point = (m: Node, i: number): Node => expandNode(reshapeNode(narrowNode(m, 0, i, i + 1), []), type.shape)
        const end = (e: Operand | undefined, i: number): Node => {
          if (e === undefined) return point(fs, i)
          const m = typeof e === 'object' ? castNode(lift(name, e, 3), 'f32') : scalar(e, 'f32')
          return broadcastNode(name, m, typeOf(m), type.shape)
        }
        const [before, after] = [end(left, 0), end(right, n! - 1)]
        return withTypes(name, [before, after], () => {
          const inside = n === 1 ? point(fs, 0) : onLines(x, xs, fs, n!)
          const isBefore = binaryNode('lt', x, point(xs, 0))
          const isAfter = binaryNode('lt', point(xs, n! - 1), x)
          const told = selectNode(isBefore, before, selectNode(isAfter, after, inside))
          return selectNode(build.isNan([x], {}), x, told)
        })
      }),
    )
  },
)
