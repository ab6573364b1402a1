/**
 * Gamma distributed numbers by Marsaglia and Tsang (2000), and what is made of them. Rejection runs a fixed number of
 * rounds, all at once: a proposal is accepted with probability above 0.951 for every shape parameter, so that six in a row
 * fail with probability below 2⁻²⁶; then the distribution's centre stands in.
 */
import { build, typeOf } from '../../build.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { expandNode, reshapeNode } from '../operand.ts'
import { blocks } from './keys.ts'
import { normalOf } from './normal.ts'
import {
  type Distribution,
  type DistributionOfLines,
  distribution,
  onLines,
  readCall,
  withParameters,
} from './parameters.ts'
import { between, unitOf } from './uniform.ts'

const rounds = 6
/** The counter word of the draw that small parameters need, and of the second number of a beta. */
const boostRound = rounds
const secondNumber = 16

/** The least normal f32. */
const tiny = 2 ** -126
/** The most negative logarithm: what is left of those that no f32 holds. */
const leastLog = -(2 ** 127)

/** The parts of gamma numbers: `core · u^(1/a)`, where the power is 1 for a of 1 and more. */
interface Drawn {
  readonly core: Node
  /** log of the power. */
  readonly boost: Node
}

const gammaParts = (given: Node, high: Node, low: Node, from: number): Drawn => {
  // How a number depends on its parameter is not known to a rejection.
  const a = build.stopGradient([given], {})
  const type: TensorType = { shape: typeOf(a).shape, dtype: 'f32' }
  const like = (x: number): Node => likeNode(x, type)
  const [add, sub, mul, div] = (['add', 'sub', 'mul', 'div'] as const).map(
    (op) =>
      (x: Node, y: Node): Node =>
        binaryNode(op, x, y),
  ) as [(x: Node, y: Node) => Node, (x: Node, y: Node) => Node, (x: Node, y: Node) => Node, (x: Node, y: Node) => Node]
  const isSmall = binaryNode('lt', a, like(1))
  const d = sub(selectNode(isSmall, add(a, like(1)), a), like(1 / 3))
  const c = build.rsqrt([mul(like(9), d)], {})
  let core = d
  for (let round = rounds - 1; round >= 0; round--) {
    const [first, second] = blocks(high, low, type.shape, from + round)
    const x = normalOf(first)
    const base = add(like(1), mul(c, x))
    const v = mul(base, mul(base, base))
    const isPositive = binaryNode('lt', like(0), v)
    const logV = build.log([selectNode(isPositive, v, like(1))], {})
    const bound = add(mul(like(0.5), mul(x, x)), mul(d, add(sub(like(1), v), logV)))
    const u = between(unitOf(second), tiny, 1)
    const accepted = binaryNode('and', isPositive, binaryNode('lt', build.log([u], {}), bound))
    core = selectNode(accepted, mul(d, v), core)
  }
  const [word] = blocks(high, low, type.shape, from + boostRound)
  const power = binaryNode('max', div(build.log([between(unitOf(word), tiny, 1)], {}), a), like(leastLog))
  const isValid = binaryNode('lt', like(0), a)
  return { core: selectNode(isValid, core, like(Number.NaN)), boost: selectNode(isSmall, power, like(0)) }
}

/** `x`, or where it is less the least normal number: what is positive stays so. */
const kept = (x: Node): Node => binaryNode('max', x, likeNode(tiny, typeOf(x)))

const numberOf = ({ core, boost }: Drawn): Node => kept(binaryNode('mul', core, build.exp([boost], {})))
const logOf = ({ core, boost }: Drawn): Node => binaryNode('add', build.log([core], {}), boost)

/** The shape parameter of a gamma distribution. */
export interface GammaOptions {
  readonly a: Operand
}

/**
 * Gamma distributed with shape parameter `a` (a number, or a tensor that broadcasts to the shape, which may be left out) and
 * scale 1: f32 of `shape` (jax.random.gamma's distribution, not its numbers), at least 2⁻¹²⁶. NaN for a ≤ 0. No gradient
 * reaches `a`. Accepts or rejects six proposals a number; with probability below 2⁻²⁶ none is accepted and the number is
 * a - 1/3. ShapeError where `a` does not broadcast.
 * @example
 * const x = random.gamma(random.key(0), [2000], { a: 9 })
 * T.reference(T.lessEqual(T.abs(T.sub(T.mean(x), 9)), 0.2)).data // => [1]
 */
export const gamma: Distribution<GammaOptions, 'f32'> = distribution<GammaOptions, 'f32'>(
  'random.gamma',
  { a: 'must operand' },
  {},
  ([p], high, low) => numberOf(gammaParts(p!, high, low, 0)),
)

/** The two parameters of a beta distribution. */
export interface BetaOptions {
  readonly a: Operand
  readonly b: Operand
}

/**
 * Beta distributed with parameters `a` and `b` (numbers, or tensors that broadcast to the shape, which may be left out): f32
 * of `shape`, x / (x + y) of two gamma numbers by their logarithms, so that small parameters do not underflow
 * (jax.random.beta): at least 2⁻¹²⁶, at most 1 - 2⁻²⁴. As `gamma`.
 * @example
 * const x = random.beta(random.key(0), [2000], { a: 2, b: 6 })
 * T.reference(T.lessEqual(T.abs(T.sub(T.mean(x), 0.25)), 0.01)).data // => [1]
 */
export const beta: Distribution<BetaOptions, 'f32'> = distribution<BetaOptions, 'f32'>(
  'random.beta',
  { a: 'must operand', b: 'must operand' },
  {},
  ([p, q], high, low) => {
    const [x, y] = [gammaParts(p!, high, low, 0), gammaParts(q!, high, low, secondNumber)].map(logOf)
    const share = kept(build.sigmoid([binaryNode('sub', x!, y!)], {}))
    return binaryNode('min', share, likeNode(1 - 2 ** -24, typeOf(share)))
  },
)

/** The parameters of a Dirichlet distribution, along the last axis. */
export interface DirichletOptions {
  readonly alpha: Tensor
}

const dirichletOptions: OptionNames<DirichletOptions> = { alpha: 'must tensor' }

/**
 * Dirichlet distributed with parameters `alpha` `[…, n]`: f32 of `[...shape, n]`, lines of positive numbers (at least 2⁻¹²⁶,
 * however small alpha is) that add up to 1 (jax.random.dirichlet). The leading axes of alpha broadcast to the shape, which
 * may be left out. As `gamma`; ShapeError for a scalar.
 * @example
 * const x = random.dirichlet(random.key(0), [4], { alpha: T.tensor([1, 2, 3]) })
 * T.reference(T.sum(x, { axis: -1 })).data // => [1, 1, 1, 1]
 */
export const dirichlet: DistributionOfLines<DirichletOptions, 'f32'> = (k: Tensor, ...args: readonly unknown[]) => {
  const { shape, parameters } = readCall('random.dirichlet', dirichletOptions, args)
  return onLines('random.dirichlet', parameters.alpha, 'alpha', shape, (full) =>
    withParameters('random.dirichlet', k, full, [parameters.alpha], ([p], high, low) => {
      const logs = logOf(gammaParts(p!, high, low, 0))
      // The largest is taken off first: a logarithm of the sum beside logarithms in the thousands has no digits left.
      const along = (n: Node, monoid: 'max' | 'sum'): Node =>
        expandNode(reshapeNode(build.reduce([n], { monoid, axes: [full.length - 1] }), [...full.slice(0, -1), 1]), full)
      const parts = build.exp([binaryNode('sub', logs, along(logs, 'max'))], {})
      return kept(binaryNode('div', parts, along(parts, 'sum')))
    }),
  )
}
