/** Poisson distributed numbers: small rates are summed term by term, large ones come by rejection (Hörmann's PTRS). */
import { build, typeOf } from '../../build.ts'
import type { Node } from '../../ir.ts'
import type { Operand } from '../../types/tensor.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode } from '../operand.ts'
import { add, div, few, firstAccepted, logPoisson, mul, sub, summed } from './counting.ts'
import { type Distribution, distribution } from './parameters.ts'
import { bitsNode, unitOf } from './uniform.ts'

/** A proposal is accepted with probability above 0.75 from rate 10 on: twelve in a row fail with probability below 2⁻²⁴. */
const rounds = 12

const rejected = (rate: Node, high: Node, low: Node): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(rate))
  const b = add(like(0.931), mul(like(2.53), build.sqrt([rate], {})))
  const proposals = {
    a: add(like(-0.059), mul(like(0.02483), b)),
    b,
    centre: add(rate, like(0.43)),
    factor: add(like(1.1239), div(like(1.1328), sub(b, like(3.4)))),
    isPossible: (k: Node) => binaryNode('le', like(0), k),
    log: (k: Node) => logPoisson(k, rate),
  }
  return firstAccepted(proposals, rounds, build.floor([rate], {}), high, low)
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
    const isSmall = binaryNode('lt', given!, like(few))
    const rate = selectNode(isSmall, given!, like(1))
    const none = build.exp([build.neg([rate], {})], {})
    const small = summed(none, (k) => mul(rate, like(1 / k)), unitOf(bitsNode(high, low, type.shape)))
    const large = rejected(selectNode(isSmall, like(few), given!), high, low)
    const isValid = binaryNode('le', like(0), given!)
    const count = selectNode(isValid, selectNode(isSmall, small, large), like(-1))
    return castNode(count, 'i32')
  },
)
