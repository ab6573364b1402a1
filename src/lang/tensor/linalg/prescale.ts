/**
 * Matrices brought near 1 by a power of two before they are factorised, and results brought back: exact, and squares and
 * products in between neither overflow nor vanish. The power is a constant to derivatives, which are right then, because
 * what is computed does not depend on it.
 */
import { build, typeOf } from '../../build.ts'
import type { Node } from '../../ir.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { reduceNode } from '../reduce/reduction.ts'

/** The size `[…]` of the largest element of matrices `[…, m, n]`; NaN wins. There must be elements. */
const largestNode = (a: Node): Node => {
  const rank = typeOf(a).shape.length
  return reduceNode(build.abs([build.stopGradient([a], {})], {}), 'max', [rank - 2, rank - 1])
}

const isFiniteNode = (largest: Node): Node =>
  binaryNode('lt', largest, likeNode(Number.POSITIVE_INFINITY, typeOf(largest)))

const isEmpty = (a: Node): boolean => typeOf(a).shape.slice(-2).includes(0)

const clampedNode = (n: Node, low: number, high: number): Node =>
  binaryNode('min', binaryNode('max', n, likeNode(low, typeOf(n))), likeNode(high, typeOf(n)))

/**
 * ⌊(log₂ size + offset) / by⌋ as i32, the logarithm from -126 to 126; 0 for NaN. The step is not at a power of two, where
 * rounding would decide on which side a size that is one falls.
 */
const magnitudeNode = (size: Node, offset: number, by: number): Node => {
  const type = typeOf(size)
  const logs = clampedNode(binaryNode('add', build.log2([size], {}), likeNode(offset, type)), -126, 126)
  return build.cast([build.floor([binaryNode('div', logs, likeNode(by, type))], {})], { dtype: 'i32' })
}

/**
 * The exponents (i32, `[…]`) of powers of two near the largest elements of matrices `[…, m, n]`: even, so that there is a root,
 * and from -126 to 126, so that there is an inverse; 0 where an element is not finite.
 */
export const exponentNode = (a: Node): Node => {
  const type = { shape: typeOf(a).shape.slice(0, -2), dtype: 'i32' } as const
  if (isEmpty(a)) return likeNode(0, type)
  const largest = largestNode(a)
  const half = magnitudeNode(largest, 0.3, 2)
  return selectNode(isFiniteNode(largest), binaryNode('add', half, half), likeNode(0, type))
}

/** 2ᵉ for whole numbers e from -126 to 127. */
const powerOfTwo = (exponent: Node): Node => {
  const type = typeOf(exponent)
  const biased = binaryNode('add', exponent, likeNode(127, type))
  return build.bitcast([binaryNode('shiftLeft', biased, likeNode(23, type))], { dtype: 'f32' })
}

/**
 * x `[…, …]` times 2ᵉ for exponents `[…]` of its leading axes. In two steps of half the exponent: what f32 holds in the end it
 * holds in between, and what it does not is infinite or 0, as no factor is.
 */
export const timesPowerNode = (x: Node, exponent: Node): Node => {
  const { shape } = typeOf(x)
  const type = typeOf(exponent)
  const inside = clampedNode(exponent, -252, 252)
  const half = binaryNode('shiftRight', inside, likeNode(1, type))
  const axes = shape.map((_, i) => i).slice(type.shape.length)
  return [half, binaryNode('sub', inside, half)].reduce(
    (y, e) => binaryNode('mul', y, build.broadcast([powerOfTwo(e)], { shape, axes })),
    x,
  )
}

/** Matrices with their largest element from ¾ to 4, as far as it is finite, and the exponents of what they were divided by. */
export const prescaled = (a: Node): readonly [matrix: Node, exponent: Node] => {
  const exponent = exponentNode(a)
  return [timesPowerNode(a, build.neg([exponent], {})), exponent]
}

/** `x`, a result for matrices `a`, but NaN where one holds an element that is not finite. */
export const ofFiniteNode = (x: Node, a: Node): Node => {
  if (isEmpty(a)) return x
  const type = typeOf(x)
  const largest = largestNode(a)
  const axes = type.shape.map((_, i) => i).slice(typeOf(largest).shape.length)
  return selectNode(
    build.broadcast([isFiniteNode(largest)], { shape: type.shape, axes }),
    x,
    likeNode(Number.NaN, type),
  )
}

/** Numbers of f32 as products m·2ᵉ: m from √½ to √2 in size, so that many of them can be multiplied, and e (i32). */
export const splitNode = (x: Node): readonly [mantissa: Node, exponent: Node] => {
  const exponent = magnitudeNode(build.abs([build.stopGradient([x], {})], {}), 0.5, 1)
  return [timesPowerNode(x, build.neg([exponent], {})), exponent]
}
