/** Normally distributed numbers, the whole line of them or a part. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { raise } from '../../errors.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { demandRecord, type OptionNames } from '../arguments.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { un } from '../math/unary-functions.ts'
import { withKey } from './keys.ts'
import { type Distribution, distribution } from './parameters.ts'
import { between, bitsNode, unitNode, unitOf } from './uniform.ts'

/** Mean and standard deviation of `normal`. */
export interface NormalOptions {
  readonly mean?: number | undefined
  readonly std?: number | undefined
}

const normalOptions: OptionNames<NormalOptions> = { mean: 'number', std: 'limit' }

/** The float after -1. */
const afterMinusOne = -0.9999999403953552

/** A standard normal number from a random word. */
export const normalOf = (word: Node): Node => {
  const u = between(unitOf(word), afterMinusOne, 1)
  return binaryNode('mul', un('erfinv', u), likeNode(Math.SQRT2, typeOf(u)))
}

/**
 * Normally distributed with `mean` (0) and `std` (1): f32 of `shape`, `√2 · erfinv(u)` of a uniform u in (-1, 1)
 * (jax.random.normal).
 * @example
 * T.reference(random.normal(random.key(0), [1])).data // => [1.622642]
 */
export const normal = <const S extends Shape>(k: Tensor, shape: S, options: NormalOptions = {}): Tensor<S, 'f32'> => {
  demandRecord('random.normal', normalOptions, options)
  const { mean = 0, std = 1 } = options
  return withKey('random.normal', k, shape, (a, b) => {
    const type: TensorType = { shape, dtype: 'f32' }
    const z = normalOf(bitsNode(a, b, shape))
    const scaled = std === 1 ? z : binaryNode('mul', z, likeNode(std, type))
    return mean === 0 ? scaled : binaryNode('add', scaled, likeNode(mean, type))
  })
}

/** Between what the numbers of `truncatedNormal` lie: everywhere by default. */
export interface TruncatedNormalOptions {
  readonly low?: Operand | undefined
  readonly high?: Operand | undefined
}

/**
 * Standard normal numbers given that they lie between `low` (-∞) and `high` (∞), numbers or tensors that broadcast to the
 * shape, which may be left out: f32 of `shape`, by the inverse of the distribution function; far out in a tail, where it is
 * flat, the grid of results is coarse (jax.random.truncated_normal). NaN where high is less than low; UsageError for two such
 * numbers, ShapeError where the bounds do not broadcast.
 * @example
 * const x = random.truncatedNormal(random.key(0), [100], { low: -1, high: 2 })
 * T.reference(T.all(T.logicalAnd(T.greaterEqual(x, -1), T.lessEqual(x, 2)))).data // => [1]
 */
export const truncatedNormal: Distribution<TruncatedNormalOptions, 'f32'> = distribution<TruncatedNormalOptions, 'f32'>(
  'random.truncatedNormal',
  { low: 'operand', high: 'operand' },
  { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
  ([low, high], a, b) => {
    const { shape } = typeOf(low!)
    const root = likeNode(Math.SQRT2, { shape, dtype: 'f32' })
    const [from, to] = [low!, high!].map((n) => build.erf([binaryNode('div', n, root)], {}))
    const u = binaryNode('add', binaryNode('mul', unitNode(a, b, shape), binaryNode('sub', to!, from!)), from!)
    const edge = (x: number): Node => likeNode(x, { shape, dtype: 'f32' })
    const inside = binaryNode('min', binaryNode('max', u, edge(afterMinusOne)), edge(-afterMinusOne))
    const z = binaryNode('mul', un('erfinv', inside), root)
    const bounded = binaryNode('min', binaryNode('max', z, low!), high!)
    return selectNode(binaryNode('le', low!, high!), bounded, edge(Number.NaN))
  },
  ({ low, high }) => {
    if (typeof low === 'number' && typeof high === 'number' && high < low)
      raise({ tag: 'UsageError', message: `random.truncatedNormal: no number lies in [${low}, ${high}]` })
  },
)
