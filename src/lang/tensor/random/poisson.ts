/**
 * Poisson distributed numbers: small rates by the inverse of the distribution function, summed term by term; large ones by
 * transformed rejection (Hörmann 1993, PTRS). Both run a fixed number of steps, all at once.
 */
import { build, typeOf } from '../../build.ts'
import type { Node } from '../../ir.ts'
import type { Operand } from '../../types/tensor.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode } from '../operand.ts'
import { blocks } from './keys.ts'
import { type Distribution, distribution } from './parameters.ts'
import { between, bitsNode, unitOf } from './uniform.ts'

/** Rates below this are inverted: more than 34 happens with probability below 2⁻²⁷, less than a step of the draw. */
const smallRate = 10
const terms = 35

/** A proposal is accepted with probability above 0.75 from rate 10 on: twelve in a row fail with probability below 2⁻²⁴. */
const rounds = 12

const add = (a: Node, b: Node): Node => binaryNode('add', a, b)
const sub = (a: Node, b: Node): Node => binaryNode('sub', a, b)
const mul = (a: Node, b: Node): Node => binaryNode('mul', a, b)
const div = (a: Node, b: Node): Node => binaryNode('div', a, b)

/**
 * How many partial sums of the probabilities a draw u reaches. Rounding may leave their total below 1, and u between: then
 * the draw counts as one just below the total, which the sums pass where the tail is as rare as that.
 */
const inverted = (rate: Node, u: Node): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(rate))
  let term: Node = build.exp([build.neg([rate], {})], {})
  const sums: Node[] = [term]
  for (let k = 1; k <= terms; k++) {
    term = mul(term, mul(rate, like(1 / k)))
    sums.push(add(sums[k - 1]!, term))
  }
  const draw = binaryNode('min', u, mul(sums[terms]!, like(1 - 2 ** -22)))
  return sums.reduce((count, sum) => add(count, castNode(binaryNode('le', sum, draw), 'f32')), like(0))
}

/**
 * log of the probability of k, without subtracting large numbers from each other (Loader 2000): with e = (k - rate) / rate,
 * -rate · ((1 + e) log(1 + e) - e) - log(2πk)/2 - Stirling's series; -rate for k = 0.
 */
const logProbability = (k: Node, rate: Node): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(rate))
  const isZero = binaryNode('le', k, like(0))
  const n = selectNode(isZero, like(1), k)
  const e = div(sub(n, rate), rate)
  const deviance = mul(rate, sub(mul(add(like(1), e), build.log1p([e], {})), e))
  const inverse = div(like(1), n)
  const square = mul(inverse, inverse)
  const series = mul(inverse, sub(like(1 / 12), mul(square, sub(like(1 / 360), mul(square, like(1 / 1260))))))
  const normal = mul(like(0.5), build.log([mul(like(2 * Math.PI), n)], {}))
  return selectNode(isZero, build.neg([rate], {}), build.neg([add(add(deviance, normal), series)], {}))
}

const rejected = (rate: Node, high: Node, low: Node): Node => {
  const type = typeOf(rate)
  const like = (x: number): Node => likeNode(x, type)
  const b = add(like(0.931), mul(like(2.53), build.sqrt([rate], {})))
  const a = add(like(-0.059), mul(like(0.02483), b))
  const inverseAlpha = add(like(1.1239), div(like(1.1328), sub(b, like(3.4))))
  let found: Node = build.floor([rate], {})
  for (let round = rounds; round >= 1; round--) {
    const [first, second] = blocks(high, low, type.shape, round)
    const u = sub(unitOf(first), like(0.5))
    const v = between(unitOf(second), 2 ** -126, 1)
    const distance = binaryNode('max', sub(like(0.5), build.abs([u], {})), like(2 ** -24))
    const spread = mul(add(div(mul(like(2), a), distance), b), u)
    const k = build.floor([add(add(spread, rate), like(0.43))], {})
    const scale = add(div(a, mul(distance, distance)), b)
    const left = build.log([div(mul(v, inverseAlpha), scale)], {})
    const isPossible = binaryNode('le', like(0), k)
    const accepted = binaryNode('and', isPossible, binaryNode('le', left, logProbability(k, rate)))
    found = selectNode(accepted, k, found)
  }
  return found
}

/** How many are expected. */
export interface PoissonOptions {
  readonly rate: Operand
}

/**
 * Poisson distributed counts with `rate` (a number, or a tensor that broadcasts to the shape, which may be left out): i32 of
 * `shape` (jax.random.poisson's distribution, not its numbers). -1 for a negative rate or NaN. Rates from 10 on accept or
 * reject twelve proposals a number; with probability below 2⁻²⁴ none is accepted and the count is the rate rounded down.
 * ShapeError where the rate does not broadcast.
 * @example
 * const x = T.cast(random.poisson(random.key(0), [2000], { rate: 200 }), 'f32')
 * T.reference(T.lessEqual(T.abs(T.sub(T.mean(x), 200)), 1)).data // => [1]
 */
export const poisson: Distribution<PoissonOptions, 'i32'> = distribution<PoissonOptions, 'i32'>(
  'random.poisson',
  { rate: 'must operand' },
  {},
  ([given], high, low) => {
    const type = typeOf(given!)
    const like = (x: number): Node => likeNode(x, type)
    const isSmall = binaryNode('lt', given!, like(smallRate))
    const small = inverted(selectNode(isSmall, given!, like(1)), unitOf(bitsNode(high, low, type.shape)))
    const large = rejected(selectNode(isSmall, like(smallRate), given!), high, low)
    const isValid = binaryNode('le', like(0), given!)
    const count = selectNode(isValid, selectNode(isSmall, small, large), like(-1))
    return castNode(count, 'i32')
  },
)
