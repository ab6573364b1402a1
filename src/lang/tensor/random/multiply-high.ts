/** Random words scaled to whole numbers below a bound, exactly: products of 64 and 96 bits of which the highest word is wanted. */
import { typeOf } from '../../build.ts'
import { floorDiv } from '../../dim.ts'
import type { Node } from '../../ir.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'

const half = 2 ** 16

const add = (a: Node, b: Node): Node => binaryNode('add', a, b)
const mul = (a: Node, b: Node): Node => binaryNode('mul', a, b)

/** ⌊word · factor / 2³²⌋ for u32 words and a whole factor below 2³²: long multiplication in halves of words. */
export const highProduct = (word: Node, factor: number): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(word))
  const upper = (n: Node): Node => binaryNode('shiftRight', n, like(16))
  const lower = (n: Node): Node => binaryNode('and', n, like(half - 1))
  const [a1, a0] = [upper(word), lower(word)]
  const [b1, b0] = [like(floorDiv(factor, half)), like(factor % half)]
  const [across, crossed] = [mul(a1, b0), mul(a0, b1)]
  const middle = add(upper(mul(a0, b0)), add(lower(across), lower(crossed)))
  return add(add(mul(a1, b1), upper(middle)), add(upper(across), upper(crossed)))
}

/** ⌊(high · 2³² + low) · factor / 2⁶⁴⌋: 64 random bits scaled to [0, factor), each number equally likely up to 2⁻³² of itself. */
export const scaledBits = (high: Node, low: Node, factor: number): Node => {
  const type = typeOf(high)
  const product = mul(high, likeNode(factor, type))
  const sum = add(product, highProduct(low, factor))
  const carry = selectNode(binaryNode('lt', sum, product), likeNode(1, type), likeNode(0, type))
  return add(highProduct(high, factor), carry)
}
