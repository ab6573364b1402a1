/** Random words and what is exact in them: evenly distributed numbers, whole numbers, coins. The same on every backend. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { demandRecord, type OptionNames } from '../arguments.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { lift, refuse, reshapeNode, toElement } from '../operand.ts'
import { narrowNode } from '../shape/reordering.ts'
import { floatBelow, spacing } from './float-grid.ts'
import { blocks, withKey } from './keys.ts'
import { highProduct, scaledBits } from './multiply-high.ts'
import { type Distribution, demandChance, distribution } from './parameters.ts'

/** One word an element. */
export const bitsNode = (high: Node, low: Node, shape: Shape): Node => {
  const [a, b] = blocks(high, low, shape)
  return binaryNode('xor', a, b)
}

/**
 * Uniform 32-bit words, u32 of `shape`: both words of Threefry-2x32 (Salmon et al. 2011) at the element's number,
 * combined by xor, as JAX with partitionable keys. ShapeError for a key that is not u32 `[2]`. There are no options, so
 * that words of another dtype, which JAX has, are refused rather than forgotten.
 * @example
 * T.reference(random.bits(random.key(0), [1])).data // => [4070199207]
 */
export const bits = <const S extends Shape>(
  k: Tensor,
  shape: S,
  options: Readonly<Record<string, never>> = {},
): Tensor<S, 'u32'> => {
  demandRecord('random.bits', {}, options)
  return withKey('random.bits', k, shape, (high, low) => bitsNode(high, low, shape))
}

/** Bounds of `uniform`. */
export interface UniformOptions {
  readonly low?: number | undefined
  readonly high?: number | undefined
}

const uniformOptions: OptionNames<UniformOptions> = { low: 'number', high: 'number' }

/** A word's 23 high bits as the mantissa of a number in [1, 2), less 1: in [0, 1). Exact, so the same everywhere. */
export const unitOf = (word: Node): Node => {
  const type = typeOf(word)
  const { shape } = type
  const mantissa = binaryNode('shiftRight', word, likeNode(9, type))
  const float = build.bitcast([binaryNode('or', mantissa, likeNode(0x3f800000, type))], { dtype: 'f32' })
  return binaryNode('sub', float, likeNode(1, { shape, dtype: 'f32' }))
}

export const unitNode = (high: Node, low: Node, shape: Shape): Node => unitOf(bitsNode(high, low, shape))

/** A number in [0, 1) brought to [low, high). */
export const between = (unit: Node, low: number, high: number): Node => {
  if (low === 0 && high === 1) return unit
  const type = typeOf(unit)
  const least = likeNode(low, type)
  const width = likeNode(Math.fround(high) - Math.fround(low), type)
  return binaryNode('max', least, binaryNode('add', binaryNode('mul', unit, width), least))
}

/**
 * A word brought to [low, high). A range with fewer numbers than a unit has is counted through, so that each of its numbers is
 * as likely as the others; elsewhere rounding may lead up to `high`, and the number before stands in.
 */
const ranged = (word: Node, low: number, high: number): Node => {
  if (low === 0 && high === 1) return unitOf(word)
  const type: TensorType = { shape: typeOf(word).shape, dtype: 'f32' }
  const step = Math.min(spacing(low), spacing(high))
  const count = (high - low) / step
  const last = likeNode(floatBelow(high), type)
  if (count < 2 ** 23) {
    const place = build.cast([highProduct(word, count)], { dtype: 'f32' })
    const x = binaryNode('add', likeNode(low, type), binaryNode('mul', place, likeNode(step, type)))
    return low === high ? x : binaryNode('min', x, last)
  }
  const isWide = !Number.isFinite(Math.fround(high - low))
  const inside = isWide ? between(unitOf(word), low / 2, high / 2) : between(unitOf(word), low, high)
  return binaryNode('min', isWide ? binaryNode('add', inside, inside) : inside, last)
}

/**
 * Evenly distributed in [low, high), [0, 1) by default: f32 of `shape`, 23 random bits each (jax.random.uniform); `low`
 * itself where there is nothing between. A narrow range is counted through, number by number. ShapeError where high is less
 * than low, or a bound is no finite f32.
 * @example
 * T.reference(random.uniform(random.key(0), [1])).data // => [0.947667]
 */
export const uniform = <const S extends Shape>(k: Tensor, shape: S, options: UniformOptions = {}): Tensor<S, 'f32'> => {
  demandRecord('random.uniform', uniformOptions, options)
  const { low = 0, high = 1 } = options
  return withKey('random.uniform', k, shape, (a, b) => {
    const wrong = (reason: string): Node => refuse('random.uniform', [lift('random.uniform', k)], { reason })
    const [least, most] = [Math.fround(low), Math.fround(high)]
    if (!Number.isFinite(least) || !Number.isFinite(most)) return wrong(`[${low}, ${high}) is no range of f32 numbers`)
    if (high < low) return wrong(`no number lies in [${low}, ${high})`)
    return ranged(bitsNode(a, b, shape), least, most)
  })
}

/** Bounds of `randint`: low ≤ x < high. */
export interface RandintOptions {
  readonly low?: number | undefined
  readonly high: number
}

const randintOptions: OptionNames<RandintOptions> = { low: 'number', high: 'must number' }

/** 64 bits modulo a span up to 2¹⁶, without a product past 32 bits: JAX's numbers. */
const remainder = (upper: Node, lower: Node, span: number): Node => {
  const type = typeOf(upper)
  const rem = (x: Node): Node => binaryNode('rem', x, likeNode(span, type))
  const wrapped = likeNode(2 ** 32 % span, type)
  return rem(binaryNode('add', binaryNode('mul', rem(upper), wrapped), rem(lower)))
}

/**
 * Whole numbers in [low, high), low 0 by default: i32 of `shape`. 64 random bits are reduced, by their remainder for a span up
 * to 2¹⁶, as in JAX, by their product with a longer one, up to 2³²: the bias is below 2⁻³². ShapeError where no number lies
 * between, or a bound is none of i32.
 * @example
 * const dice = random.randint(random.key(0), [100], { low: 1, high: 7 })
 * T.reference([T.min(dice), T.max(dice)]).map((t) => t.data) // => [[1], [6]]
 */
export const randint = <const S extends Shape>(k: Tensor, shape: S, options: RandintOptions): Tensor<S, 'i32'> => {
  demandRecord('random.randint', randintOptions, options)
  const { low = 0, high } = options
  return withKey('random.randint', k, shape, (a, b) => {
    const wrong = (reason: string): Node => refuse('random.randint', [lift('random.randint', k)], { reason })
    if (![low, high].every((b) => Number.isInteger(b) && Math.abs(b) <= 2 ** 31))
      return wrong(`[${low}, ${high}) is no range of whole numbers of 32 bits`)
    if (high <= low) return wrong(`no whole number lies in [${low}, ${high})`)
    const [high2, low2] = blocks(a, b, [2])
    const at = (n: Node, i: number): Node => reshapeNode(narrowNode(n, 0, i, i + 1), [])
    const [upper, lower] = [0, 1].map((i) => bitsNode(at(high2, i), at(low2, i), shape))
    const span = high - low
    const drawn =
      span <= 2 ** 16 ? remainder(upper!, lower!, span) : span < 2 ** 32 ? scaledBits(upper!, lower!, span) : upper!
    return binaryNode(
      'add',
      build.bitcast([drawn], { dtype: 'i32' }),
      likeNode(toElement(low, 'i32'), { shape, dtype: 'i32' }),
    )
  })
}

/** How likely true is: 0.5 by default. */
export interface BernoulliOptions {
  readonly p?: Operand | undefined
}

/**
 * True with probability `p` (0.5), a number, or a tensor that broadcasts to the shape, which may be left out: bool of
 * `shape`, `uniform < p` (jax.random.bernoulli). ShapeError where p does not broadcast.
 * @example
 * T.reference(random.bernoulli(random.key(0), [1], { p: 0.95 })).data // => [1]
 */
export const bernoulli: Distribution<BernoulliOptions, 'bool'> = distribution<BernoulliOptions, 'bool'>(
  'random.bernoulli',
  { p: 'operand' },
  { p: 0.5 },
  ([chance], a, b) => binaryNode('lt', unitNode(a, b, typeOf(chance!).shape), chance!),
  ({ p }) => demandChance('random.bernoulli', p),
)

/**
 * -1 or 1, each with probability a half: i32 of `shape` (jax.random.rademacher).
 * @example
 * T.reference(T.abs(random.rademacher(random.key(0), [3]))).data // => [1, 1, 1]
 */
export const rademacher = <const S extends Shape>(k: Tensor, shape: S): Tensor<S, 'i32'> =>
  withKey('random.rademacher', k, shape, (a, b) => {
    const type: TensorType = { shape, dtype: 'f32' }
    const heads = binaryNode('lt', unitNode(a, b, shape), likeNode(0.5, type))
    const [one, other] = [likeNode(1, { shape, dtype: 'i32' }), likeNode(-1, { shape, dtype: 'i32' })]
    return selectNode(heads, one, other)
  })
