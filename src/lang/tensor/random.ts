/**
 * Randomness as a pure function of an explicit key: two u32 words. Layout and results are those of JAX's partitionable Threefry-2x32,
 * so that known numbers can be checked and any part of a tensor can be made alone.
 */
import { build } from '../build.ts'
import { isDim, type Shape, sizeOf } from '../dim.ts'
import type { DType } from '../dtype.ts'
import type { Node, TensorType } from '../ir.ts'
import { showShape } from '../shape.ts'
import { type Operand, type Tensor, tensorOf } from '../types.ts'
import { binaryNode, likeNode } from './arithmetic.ts'
import { fromArray } from './create.ts'
import { castNode, expandNode, lift, refuse, reshapeNode, scalar, toElement, withTypes } from './operand.ts'
import { narrowNode } from './order.ts'
import { un } from './unary.ts'

/** A random key: two u32 words. Use each key once; `split` makes new ones. */
export type Key = Tensor<readonly [2], 'u32'>

/**
 * The key of a seed, a whole number from 0 to 2⁵³: u32 `[2]`, its high and low word (jax.random.key).
 * @example
 * T.reference(random.key(42)).data // => [0, 42]
 */
export const key = (seed: number): Key => {
  const words = [Math.floor(seed / 2 ** 32) >>> 0, seed >>> 0]
  return fromArray(words, [2], { dtype: 'u32' })
}

/** `body` on the two words of a key, as scalars. */
const withKey = <S extends Shape, D extends DType>(
  name: string,
  k: unknown,
  shape: Shape,
  body: (high: Node, low: Node) => Node,
): Tensor<S, D> => {
  const n = lift(name, k)
  return tensorOf(
    withTypes(name, [n], ([type]) => {
      if (type!.dtype !== 'u32' || showShape(type!.shape) !== '[2]')
        return refuse(name, [n], {
          reason: `a key is u32[2], not ${type!.dtype}${showShape(type!.shape)}`,
          hint: 'make one with random.key(42)',
        })
      if (!shape.every(isDim)) return refuse(name, [n], { reason: `${showShape(shape)} is not a shape` })
      const word = (i: number): Node => reshapeNode(narrowNode(n, 0, i, i + 1), [])
      return body(word(0), word(1))
    }),
  )
}

/** Both words of the cipher at counters 0 … size-1 (flat, row-major), in `shape`. */
const blocks = (high: Node, low: Node, shape: Shape): readonly [Node, Node] => {
  const type: TensorType = { shape, dtype: 'u32' }
  const counter = reshapeNode(build.iota([], { shape: [sizeOf(shape)], dtype: 'u32', axis: 0 }), shape)
  const pair = build.threefry([expandNode(high, shape), expandNode(low, shape), likeNode(0, type), counter], {})
  return [build.get([pair], { index: 0 }), build.get([pair], { index: 1 })]
}

const bitsNode = (high: Node, low: Node, shape: Shape): Node => {
  const [a, b] = blocks(high, low, shape)
  return binaryNode('xor', a, b)
}

/**
 * Uniform 32-bit words, u32 of `shape`: both words of Threefry-2x32 (Salmon et al. 2011) at the element's number,
 * combined by xor, as JAX with partitionable keys. ShapeError for a key that is not u32 `[2]`.
 * @example
 * T.reference(random.bits(random.key(0), [1])).data // => [4070199207]
 */
export const bits = <const S extends Shape>(k: Tensor, shape: S): Tensor<S, 'u32'> =>
  withKey('random.bits', k, shape, (high, low) => bitsNode(high, low, shape))

/**
 * `count` (2) new keys, one a row: u32 `[count, 2]` (jax.random.split). The old key must not be used again.
 * @example
 * T.reference(random.split(random.key(0), 1)).data // => [1797259609, 2579123966]
 */
export const split = (k: Tensor, count = 2): Tensor<readonly [number, 2], 'u32'> =>
  withKey('random.split', k, [count], (high, low) => {
    const words = blocks(high, low, [count])
    return build.concat(
      words.map((w) => reshapeNode(w, [count, 1])),
      { axis: 1 },
    )
  })

/** A tuple of `N` keys where the number is known, so that `const [a, b] = …` needs no check. */
type Keys<N extends number, L extends readonly Key[] = readonly []> = number extends N
  ? readonly Key[]
  : `${N}` extends `-${string}` | `${string}.${string}` | `${string}e${string}`
    ? readonly Key[]
    : L['length'] extends N
      ? L
      : Keys<N, readonly [...L, Key]>

/**
 * `count` (2) new keys as a list, the rows of `split`; a tuple where the number is known.
 * @example
 * const [k] = random.splitList(random.key(0))
 * T.reference(k).data // => [1797259609, 2579123966]
 */
export const splitList = <const N extends number = 2>(k: Tensor, count: N = 2 as N): Keys<N> => {
  const all = lift('random.splitList', split(k, count))
  const keys = Array.from(
    { length: count },
    (_, i): Key => tensorOf(withTypes('random.splitList', [all], () => reshapeNode(narrowNode(all, 0, i, i + 1), [2]))),
  )
  return keys as readonly Key[] as Keys<N>
}

/**
 * A new key from a key and a number (a step counter, a layer's index): an integer tensor of rank 0, or a whole number
 * (jax.random.fold_in). ShapeError for a tensor of another rank.
 * @example
 * T.reference(random.foldIn(random.key(0), 0)).data // => [1797259609, 2579123966]
 */
export const foldIn = (k: Tensor, data: Operand): Key =>
  withKey('random.foldIn', k, [], (high, low) => {
    const word = typeof data === 'object' ? castNode(lift('random.foldIn', data, 1), 'u32') : scalar(data, 'u32')
    return withTypes('random.foldIn', [word], ([type]) => {
      if (type!.shape.length !== 0) return refuse('random.foldIn', [word], { reason: 'the number must have rank 0' })
      const pair = build.threefry([high, low, scalar(0, 'u32'), word], {})
      return build.concat(
        [0, 1].map((index) => reshapeNode(build.get([pair], { index }), [1])),
        { axis: 0 },
      )
    })
  })

/** Bounds of `uniform`. */
export interface UniformOptions {
  readonly low?: number
  readonly high?: number
}

/** In [0, 1): 23 random bits as the mantissa of a number in [1, 2), less 1. Exact, so the same everywhere. */
const unitNode = (high: Node, low: Node, shape: Shape): Node => {
  const type: TensorType = { shape, dtype: 'u32' }
  const mantissa = binaryNode('shiftRight', bitsNode(high, low, shape), likeNode(9, type))
  const float = build.bitcast([binaryNode('or', mantissa, likeNode(0x3f800000, type))], { dtype: 'f32' })
  return binaryNode('sub', float, likeNode(1, { shape, dtype: 'f32' }))
}

const between = (unit: Node, shape: Shape, low: number, high: number): Node => {
  if (low === 0 && high === 1) return unit
  const type: TensorType = { shape, dtype: 'f32' }
  const least = likeNode(low, type)
  const width = likeNode(Math.fround(high) - Math.fround(low), type)
  return binaryNode('max', least, binaryNode('add', binaryNode('mul', unit, width), least))
}

/**
 * Evenly distributed in [low, high), [0, 1) by default: f32 of `shape`, 23 random bits each (jax.random.uniform).
 * @example
 * T.reference(random.uniform(random.key(0), [1])).data // => [0.947667]
 */
export const uniform = <const S extends Shape>(
  k: Tensor,
  shape: S,
  { low = 0, high = 1 }: UniformOptions = {},
): Tensor<S, 'f32'> => withKey('random.uniform', k, shape, (a, b) => between(unitNode(a, b, shape), shape, low, high))

/** Mean and standard deviation of `normal`. */
export interface NormalOptions {
  readonly mean?: number
  readonly std?: number
}

/** The float after -1. */
const afterMinusOne = -0.9999999403953552

const normalNode = (a: Node, b: Node, shape: Shape): Node => {
  const type: TensorType = { shape, dtype: 'f32' }
  const u = between(unitNode(a, b, shape), shape, afterMinusOne, 1)
  return binaryNode('mul', un('erfinv', u), likeNode(Math.SQRT2, type))
}

/**
 * Normally distributed with `mean` (0) and `std` (1): f32 of `shape`, `√2 · erfinv(u)` of a uniform u in (-1, 1)
 * (jax.random.normal).
 * @example
 * T.reference(random.normal(random.key(0), [1])).data // => [1.622642]
 */
export const normal = <const S extends Shape>(
  k: Tensor,
  shape: S,
  { mean = 0, std = 1 }: NormalOptions = {},
): Tensor<S, 'f32'> =>
  withKey('random.normal', k, shape, (a, b) => {
    const type: TensorType = { shape, dtype: 'f32' }
    const z = normalNode(a, b, shape)
    const scaled = std === 1 ? z : binaryNode('mul', z, likeNode(std, type))
    return mean === 0 ? scaled : binaryNode('add', scaled, likeNode(mean, type))
  })

/** Bounds of `randint`: low ≤ x < high. */
export interface RandintOptions {
  readonly low?: number
  readonly high: number
}

/**
 * Whole numbers in [low, high), low 0 by default: i32 of `shape`. 64 random bits are reduced, as in JAX, so that the
 * bias is below 2⁻³². ShapeError where no number lies between.
 * @example
 * const dice = random.randint(random.key(0), [100], { low: 1, high: 7 })
 * T.reference([T.min(dice), T.max(dice)]).map((t) => t.data) // => [[1], [6]]
 */
export const randint = <const S extends Shape>(
  k: Tensor,
  shape: S,
  { low = 0, high }: RandintOptions,
): Tensor<S, 'i32'> =>
  withKey('random.randint', k, shape, (a, b) => {
    const [least, span] = [toElement(low, 'i32'), (toElement(high, 'i32') - toElement(low, 'i32')) >>> 0]
    if (high <= low)
      return refuse('random.randint', [lift('random.randint', k)], {
        reason: `no whole number lies in [${low}, ${high})`,
      })
    const type: TensorType = { shape, dtype: 'u32' }
    const [high2, low2] = blocks(a, b, [2])
    const at = (n: Node, i: number): Node => reshapeNode(narrowNode(n, 0, i, i + 1), [])
    const [upper, lower] = [0, 1].map((i) => bitsNode(at(high2, i), at(low2, i), shape))
    const size = likeNode(span, type)
    const half = 2 ** 16 % span
    const multiplier = likeNode(Number((BigInt(half) * BigInt(half)) % BigInt(2 ** 32)) % span, type)
    const rem = (x: Node): Node => binaryNode('rem', x, size)
    const mixed = rem(binaryNode('add', binaryNode('mul', rem(upper!), multiplier), rem(lower!)))
    return binaryNode('add', build.bitcast([mixed], { dtype: 'i32' }), likeNode(least, { shape, dtype: 'i32' }))
  })

/**
 * True with probability `p` (a number, or a tensor that broadcasts to the shape): bool of `shape`, `uniform < p`.
 * @example
 * T.reference(random.bernoulli(random.key(0), 0.95, [1])).data // => [1]
 */
export const bernoulli = <const S extends Shape>(k: Tensor, p: Operand, shape: S): Tensor<S, 'bool'> =>
  withKey('random.bernoulli', k, shape, (a, b) => {
    const chance = typeof p === 'object' ? castNode(lift('random.bernoulli', p, 1), 'f32') : scalar(p, 'f32')
    return withTypes('random.bernoulli', [chance], () =>
      binaryNode('lt', unitNode(a, b, shape), expandNode(chance, shape)),
    )
  })

/**
 * Samples (i32) of the distribution `softmax(logits)` along the last axis, which is dropped, by the Gumbel trick
 * (jax.random.categorical). ShapeError for a scalar.
 * @example
 * T.reference(random.categorical(random.key(0), T.tensor([[0, -1e4], [-1e4, 0]]))).data // => [0, 1]
 */
export const categorical = (k: Tensor, logits: Tensor): Tensor<Shape, 'i32'> => {
  const n = lift('random.categorical', logits, 1)
  return tensorOf(
    withTypes('random.categorical', [n], ([type]) => {
      if (type!.shape.length === 0)
        return refuse('random.categorical', [n], { reason: 'logits need an axis of classes' })
      const drawn = withKey('random.categorical', k, type!.shape, (a, b) => {
        const f32: TensorType = { shape: type!.shape, dtype: 'f32' }
        // The least positive float keeps log away from 0.
        const u = between(unitNode(a, b, f32.shape), f32.shape, 1.1754943508222875e-38, 1)
        const gumbel = build.neg([build.log([build.neg([build.log([u], {})], {})], {})], {})
        const last = f32.shape.length - 1
        const scores = binaryNode('add', castNode(n, 'f32'), gumbel)
        return build.get([build.reduce([scores], { monoid: 'argmax', axes: [last] })], { index: 1 })
      })
      return lift('random.categorical', drawn)
    }),
  )
}
