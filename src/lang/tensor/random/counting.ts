/**
 * Random counts, by what Poisson's and the binomial distribution have in common: few are expected, then the distribution
 * function is summed term by term; many, then they come by transformed rejection (Hörmann 1993). Both run a fixed number of
 * steps, all at once.
 */
import { build, typeOf } from '../../build.ts'
import type { Node } from '../../ir.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode } from '../operand.ts'
import { blocks } from './keys.ts'
import { between, unitOf } from './uniform.ts'

/** Fewer expected than this are summed: more than 34 happen with probability below 2⁻²⁷, less than a step of the draw. */
export const few = 10
const terms = 35

export const add = (a: Node, b: Node): Node => binaryNode('add', a, b)
export const sub = (a: Node, b: Node): Node => binaryNode('sub', a, b)
export const mul = (a: Node, b: Node): Node => binaryNode('mul', a, b)
export const div = (a: Node, b: Node): Node => binaryNode('div', a, b)

/**
 * How many partial sums of the probabilities a draw u reaches, where `none` is the probability of 0 and that of k is
 * `ratio(k)` times that of k - 1. Rounding may leave their total below 1, and u between: then the draw counts as one just
 * below the total, which the sums pass where the tail is as rare as that.
 */
export const summed = (none: Node, ratio: (k: number) => Node, u: Node): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(none))
  let term = none
  const sums: Node[] = [term]
  for (let k = 1; k <= terms; k++) {
    term = mul(term, ratio(k))
    sums.push(add(sums[k - 1]!, term))
  }
  const draw = binaryNode('min', u, mul(sums[terms]!, like(1 - 2 ** -22)))
  return sums.reduce((count, sum) => add(count, castNode(binaryNode('le', sum, draw), 'f32')), like(0))
}

/**
 * log of Poisson's probability of k, without subtracting large numbers from each other (Loader 2000): with
 * e = (k - rate) / rate, -rate · ((1 + e) log(1 + e) - e) - log(2πk)/2 - Stirling's series; -rate for k = 0.
 */
export const logPoisson = (k: Node, rate: Node): Node => {
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

/** Hörmann's table: what the proposals are spread by and centred on, and which of them are accepted. */
export interface Proposals {
  readonly a: Node
  readonly b: Node
  readonly centre: Node
  readonly factor: Node
  readonly isPossible: (k: Node) => Node
  /** log of the probability of k, up to what the factor has taken in. */
  readonly log: (k: Node) => Node
}

/** The first of `rounds` proposals that is accepted; `otherwise` where none is. */
export const firstAccepted = (
  { a, b, centre, factor, isPossible, log }: Proposals,
  rounds: number,
  otherwise: Node,
  high: Node,
  low: Node,
): Node => {
  const type = typeOf(otherwise)
  const like = (x: number): Node => likeNode(x, type)
  let found = otherwise
  for (let round = rounds; round >= 1; round--) {
    const [first, second] = blocks(high, low, type.shape, round)
    const u = sub(unitOf(first), like(0.5))
    const v = between(unitOf(second), 2 ** -126, 1)
    const distance = binaryNode('max', sub(like(0.5), build.abs([u], {})), like(2 ** -24))
    const spread = mul(add(div(mul(like(2), a), distance), b), u)
    const k = build.floor([add(spread, centre)], {})
    const scale = add(div(a, mul(distance, distance)), b)
    const left = build.log([div(mul(v, factor), scale)], {})
    const accepted = binaryNode('and', isPossible(k), binaryNode('le', left, log(k)))
    found = selectNode(accepted, k, found)
  }
  return found
}
