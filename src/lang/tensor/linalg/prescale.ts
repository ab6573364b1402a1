/**
 * Matrices brought near 1 by a power of two before they are factorised, and results brought back: exact, and squares and
 * products in between neither overflow nor vanish. The power is a constant to derivatives, which are right then, because
 * what is computed does not depend on it.
 */
import { build, typeOf } from '../../build.ts'
import type { Node } from '../../ir.ts'
import { magnitude, timesPower } from '../../ops/powers-of-two.ts'
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

/**
 * The exponents (i32, `[…]`) of powers of two near the largest elements of matrices `[…, m, n]`: even, so that there is a root,
 * and from -126 to 126, so that there is an inverse; 0 where an element is not finite.
 */
export const exponentNode = (a: Node): Node => {
  const type = { shape: typeOf(a).shape.slice(0, -2), dtype: 'i32' } as const
  if (isEmpty(a)) return likeNode(0, type)
  const largest = largestNode(a)
  const half = magnitude(build, largest, 0.3, 2, 126)
  return selectNode(isFiniteNode(largest), binaryNode('add', half, half), likeNode(0, type))
}

/** Matrices with their largest element from ¾ to 4, as far as it is finite, and the exponents of what they were divided by. */
export const prescaled = (a: Node): readonly [matrix: Node, exponent: Node] => {
  const exponent = exponentNode(a)
  return [timesPower(build, a, build.neg([exponent], {})), exponent]
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
