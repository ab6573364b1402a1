/**
 * Randomness as a pure function of an explicit key: two u32 words. Layout and results are those of JAX's partitionable Threefry-2x32,
 * so that known numbers can be checked and any part of a tensor can be made alone.
 */
import { build } from '../../build.ts'
import { floorDiv, isDim, type Shape, sizeOf } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import { raise } from '../../errors.ts'
import type { Node, TensorType } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import { isTensor } from '../../tree.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandShape, showArgument } from '../arguments.ts'
import { likeNode } from '../math/arithmetic.ts'
import { castNode, expandNode, lift, refuse, reshapeNode, scalar, withTypes } from '../operand.ts'
import { fromArray } from '../shape/create.ts'
import { narrowNode } from '../shape/reordering.ts'

/** A random key: two u32 words. Use each key once; `split` makes new ones. */
export type Key = Tensor<readonly [2], 'u32'>

/**
 * The key of a seed, a whole number from 0 to 2⁵³: u32 `[2]`, its high and low word (jax.random.key).
 * @example
 * T.reference(random.key(42)).data // => [0, 42]
 */
export const key = (seed: number): Key => {
  if (!(Number.isSafeInteger(seed) && seed >= 0))
    raise({
      tag: 'UsageError',
      message: `random.key: the seed is ${showArgument(seed)}, not a whole number from 0 to 2⁵³`,
      hint: 'write random.key(42)',
    })
  const words = [floorDiv(seed, 2 ** 32) >>> 0, seed >>> 0]
  return fromArray(words, [2], { dtype: 'u32' })
}

/** UsageError for what is no tensor in the place of a key. */
export const demandKey = (name: string, k: unknown): void => {
  if (isTensor(k)) return
  raise({
    tag: 'UsageError',
    message: `${name}: the key is ${showArgument(k)}, not a key`,
    hint: `make one with random.key(${Number.isSafeInteger(k) && (k as number) >= 0 ? k : 42})`,
  })
}

/** `body` on the two words of a key, as scalars. */
export const withKey = <S extends Shape, D extends DType>(
  name: string,
  k: unknown,
  shape: Shape,
  body: (high: Node, low: Node) => Node,
): Tensor<S, D> => {
  demandKey(name, k)
  const n = lift(name, k)
  demandShape(name, shape)
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

/**
 * Both words of the cipher at counters 0 … size-1 (flat, row-major), in `shape`; another `round` (the counter's high word)
 * gives others that have nothing to do with them.
 */
export const blocks = (high: Node, low: Node, shape: Shape, round = 0): readonly [Node, Node] => {
  const type: TensorType = { shape, dtype: 'u32' }
  const counter = reshapeNode(build.iota([], { shape: [sizeOf(shape)], dtype: 'u32', axis: 0 }), shape)
  const pair = build.threefry([expandNode(high, shape), expandNode(low, shape), likeNode(round, type), counter], {})
  return [build.get([pair], { index: 0 }), build.get([pair], { index: 1 })]
}

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
  if (!(isDim(count) && count < 2 ** 31))
    raise({ tag: 'UsageError', message: `random.splitList: ${showArgument(count)} is no number of keys` })
  const all = lift('random.splitList', split(k, count))
  const keys = Array.from(
    { length: count },
    (_, i): Key => tensorOf(withTypes('random.splitList', [all], () => reshapeNode(narrowNode(all, 0, i, i + 1), [2]))),
  )
  return keys as readonly Key[] as Keys<N>
}

const wholeNumber = (name: string, x: number | boolean): number =>
  Number.isInteger(x)
    ? (x as number)
    : raise({ tag: 'UsageError', message: `${name}: operand 2 is ${showArgument(x)}, not a whole number` })

/**
 * A new key from a key and a number (a step counter, a layer's index): an integer tensor of rank 0, or a whole number
 * (jax.random.fold_in). ShapeError for a tensor of another rank.
 * @example
 * T.reference(random.foldIn(random.key(0), 0)).data // => [1797259609, 2579123966]
 */
export const foldIn = (k: Tensor, data: Operand): Key =>
  withKey('random.foldIn', k, [], (high, low) => {
    const word =
      typeof data === 'object'
        ? castNode(lift('random.foldIn', data, 1), 'u32')
        : scalar(wholeNumber('random.foldIn', data), 'u32')
    return withTypes('random.foldIn', [word], ([type]) => {
      if (type!.shape.length !== 0) return refuse('random.foldIn', [word], { reason: 'the number must have rank 0' })
      const pair = build.threefry([high, low, scalar(0, 'u32'), word], {})
      return build.concat(
        [0, 1].map((index) => reshapeNode(build.get([pair], { index }), [1])),
        { axis: 0 },
      )
    })
  })
