/** The exponential of matrices by scaling and squaring (Higham 2005, Padé's approximant of degree 13). */
import { build, typeOf } from '../../build.ts'
import type { Node } from '../../ir.ts'
import type { FloatElementary } from '../../types/broadcast.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import { foriLoop } from '../control/loops.ts'
import { alone } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { expandNode, reshapeNode } from '../operand.ts'
import { eye } from '../shape/patterns.ts'
import { matmul } from './contraction.ts'
import { onMatrix } from './linalg-operand.ts'
import { solve } from './linear-systems.ts'

/** Norms up to this need no scaling. */
const small = 5.371920351148152

/** At most so often is a result squared: JAX's bound. A larger matrix, whose exponential f32 could not hold either, gives NaN. */
const most = 16

/** Higham's coefficients of the approximant, over the first of them, so that f32 holds all. */
const coefficients: readonly number[] = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
].map((b) => b / 64764752532480000)

const product = (a: Node, b: Node): Node => nodeOf(matmul(tensorOf(a), tensorOf(b)) as Tensor)
const sum = (...terms: readonly Node[]): Node => terms.reduce((a, b) => binaryNode('add', a, b))
const times = (k: number, n: Node): Node => binaryNode('mul', likeNode(coefficients[k]!, typeOf(n)), n)

/** The approximant: (V - U)⁻¹ (V + U), U the odd and V the even terms, six products in all. */
const approximant = (a: Node, one: Node): Node => {
  const a2 = product(a, a)
  const a4 = product(a2, a2)
  const a6 = product(a4, a2)
  const terms = (from: number): Node =>
    sum(times(from + 6, a6), times(from + 4, a4), times(from + 2, a2), times(from, one))
  const high = (from: number): Node => product(a6, sum(times(from + 4, a6), times(from + 2, a4), times(from, a2)))
  const odd = product(a, sum(high(9), terms(1)))
  const even = sum(high(8), terms(0))
  return nodeOf(solve(tensorOf(binaryNode('sub', even, odd)), tensorOf(sum(even, odd))) as Tensor)
}

/** How often each matrix is halved until its 1-norm is small: f32, whole. No slope: it only chooses among equal ways. */
const halvings = (a: Node): Node => {
  const { shape } = typeOf(a)
  const columns = build.reduce([build.abs([build.stopGradient([a], {})], {})], {
    monoid: 'sum',
    axes: [shape.length - 2],
  })
  const norm = build.reduce([columns], { monoid: 'max', axes: [shape.length - 2] })
  const type = typeOf(norm)
  const steps = build.ceil([build.log2([binaryNode('div', norm, likeNode(small, type))], {})], {})
  return binaryNode('max', steps, likeNode(0, type))
}

/**
 * The matrix exponential Σ Aᵏ / k! of square matrices `[…, n, n]` (jax.scipy.linalg.expm, torch.matrix_exp): halved until small, Padé's
 * approximant of degree 13, and squared as often again, as often as each matrix needs. Computed in f32; integers become that. NaN for a
 * matrix that would have to be halved more than 16 times, a norm above 3.5e5. ShapeError where it is not square.
 * @example
 * T.reference(T.expm(T.tensor([[0, 1], [0, 0]]))).data // => [1, 1, 0, 1]
 */
export const expm: FloatElementary = alone('T.expm', (x) =>
  onMatrix('T.expm', x, 'square', (a, shape) => {
    if (shape.includes(0)) return a
    const steps = halvings(a)
    const spread = (n: Node): Node => expandNode(reshapeNode(n, [...shape.slice(0, -2), 1, 1]), shape)
    const factor = build.exp2([build.neg([steps], {})], {})
    const one = expandNode(nodeOf(eye(shape.at(-1)!)), shape)
    const start = approximant(binaryNode('mul', a, spread(factor)), one)
    const squared = foriLoop(
      0,
      most,
      (i, r: Tensor) => {
        const isLeft = binaryNode(
          'lt',
          expandNode(build.cast([nodeOf(i)], { dtype: 'f32' }), typeOf(steps).shape),
          steps,
        )
        return tensorOf(selectNode(spread(isLeft), product(nodeOf(r), nodeOf(r)), nodeOf(r)))
      },
      tensorOf(start),
    )
    // NaN has no norm, and is not within.
    const isWithin = spread(binaryNode('le', steps, likeNode(most, typeOf(steps))))
    return selectNode(isWithin, nodeOf(squared), likeNode(Number.NaN, typeOf(a)))
  }),
)
