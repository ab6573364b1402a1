/** Counts of independent trials: how many succeed, how many fall into each class, how many it takes. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { integerRange } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { nodeOf, type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { scan } from '../control/loops.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, jointShape, refuse, reshapeNode, withTypes } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { narrowNode } from '../shape/reordering.ts'
import { add, div, few, firstAccepted, logPoisson, mul, sub, summed } from './counting.ts'
import { exponentialOf } from './inverse.ts'
import { foldIn, withKey } from './keys.ts'
import {
  type Distribution,
  type DistributionOfLines,
  demandChance,
  distribution,
  onLines,
  parameterNode,
  readCall,
  withParameters,
} from './parameters.ts'
import { bitsNode, unitOf } from './uniform.ts'

/** A proposal is accepted with probability above 0.7 from 10 expected on: fourteen in a row fail with probability below 2⁻²⁴. */
const rounds = 14

const log1pNode = (n: Node): Node => build.log1p([n], {})

/** Term by term: with q/(1 - q) = r, the probability of k is r (n - k + 1) / k times that of k - 1. */
const inverted = (n: Node, q: Node, u: Node): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(n))
  const none = build.exp([mul(n, log1pNode(build.neg([q], {})))], {})
  const r = div(q, sub(like(1), q))
  return summed(none, (k) => mul(r, mul(binaryNode('max', sub(n, like(k - 1)), like(0)), like(1 / k))), u)
}

/** Hörmann's BTRS. The probability of k successes is Poisson's of k and of n - k failures, over that of n together. */
const rejected = (n: Node, q: Node, high: Node, low: Node): Node => {
  const like = (x: number): Node => likeNode(x, typeOf(n))
  const [mean, failures] = [mul(n, q), mul(n, sub(like(1), q))]
  const deviation = build.sqrt([mul(mean, sub(like(1), q))], {})
  const b = add(like(1.15), mul(like(2.53), deviation))
  const log = (k: Node): Node => add(logPoisson(k, mean), logPoisson(sub(n, k), failures))
  const mode = build.floor([mul(add(n, like(1)), q)], {})
  const highest = log(mode)
  const proposals = {
    a: add(like(-0.0873), add(mul(like(0.0248), b), mul(like(0.01), q))),
    b,
    centre: add(mean, like(0.5)),
    factor: mul(add(like(2.83), div(like(5.1), b)), deviation),
    isPossible: (k: Node) => binaryNode('and', binaryNode('le', like(0), k), binaryNode('le', k, n)),
    log: (k: Node) => sub(log(k), highest),
  }
  return firstAccepted(proposals, rounds, build.floor([mean], {}), high, low)
}

/** Whether 0 ≤ x ≤ most; NaN is not. */
const within = (x: Node, most: number): Node =>
  binaryNode('and', binaryNode('le', likeNode(0, typeOf(x)), x), binaryNode('le', x, likeNode(most, typeOf(x))))

/** The largest f32 that i32 holds. */
const mostTrials = 2 ** 31 - 128

/** Successes as f32; -1 where there is no such number. */
const successes = (given: Node, p: Node, high: Node, low: Node): Node => {
  const type = typeOf(given)
  const like = (x: number): Node => likeNode(x, type)
  const isValid = binaryNode('and', within(given, mostTrials), within(p, 1))
  const n = build.floor([selectNode(isValid, given, like(0))], {})
  // The rarer of the two is counted, so that few of it are summed.
  const isFlipped = binaryNode('lt', like(0.5), p)
  const q = selectNode(isValid, selectNode(isFlipped, sub(like(1), p), p), like(0))
  const isSmall = binaryNode('lt', mul(n, q), like(few))
  const small = inverted(selectNode(isSmall, n, like(0)), q, unitOf(bitsNode(high, low, type.shape)))
  const large = rejected(selectNode(isSmall, like(2 * few), n), selectNode(isSmall, like(0.5), q), high, low)
  const count = selectNode(isSmall, binaryNode('min', small, n), large)
  return selectNode(isValid, selectNode(isFlipped, sub(n, count), count), like(-1))
}

/** How many trials there are, and how likely each succeeds. */
export interface BinomialOptions {
  readonly n: Operand
  readonly p: Operand
}

/**
 * How many of `n` independent trials succeed, each with probability `p` (numbers, or tensors that broadcast to the shape,
 * which may be left out): i32 of `shape` (jax.random.binomial's distribution, not its numbers). n is rounded down. -1 for
 * n below 0 or from 2³¹ on and for a tensor's p outside [0, 1], UsageError for such a number; above 2²⁴ trials are counted in
 * steps of f32. From 10 expected on fourteen proposals are accepted or rejected; with probability below 2⁻²⁴ none is
 * accepted, and n·p rounded down stands in.
 * @example
 * const x = T.cast(random.binomial(random.key(0), [2000], { n: 100, p: 0.3 }), 'f32')
 * T.reference(T.lessEqual(T.abs(T.sub(T.mean(x), 30)), 0.5)).data // => [1]
 */
export const binomial: Distribution<BinomialOptions, 'i32'> = distribution<BinomialOptions, 'i32'>(
  'random.binomial',
  { n: 'must operand', p: 'must operand' },
  {},
  ([n, p], high, low) => castNode(successes(n!, p!, high, low), 'i32'),
  ({ p }) => demandChance('random.binomial', p),
)

/** How many things there are, and how likely each falls into each class of the last axis. */
export interface MultinomialOptions {
  readonly n: Operand
  readonly p: Tensor
}

const multinomialOptions: OptionNames<MultinomialOptions> = { n: 'must operand', p: 'must tensor' }

/** One class after the other: how many of those that are left, by its share of what is left of the probabilities. */
const classCounts = (k: Tensor, n: Node, p: Node): Node => {
  const { shape } = typeOf(p)
  const last = shape.length - 1
  const lead = shape.slice(0, -1)
  const front = permuteNode(p, [last, ...lead.map((_, i) => i)])
  const rest = build.cumulate([front], { monoid: 'sum', axis: 0, reverse: true })
  const share = selectNode(
    binaryNode('lt', likeNode(0, typeOf(rest)), rest),
    div(front, rest),
    likeNode(0, typeOf(rest)),
  )
  const slices = {
    number: tensorOf(build.iota([], { shape: [shape[last]!], dtype: 'u32', axis: 0 })),
    share: tensorOf(share),
  }
  const [, counts] = scan(
    (left: Tensor, { number, share: part }: { readonly number: Tensor; readonly share: Tensor }) => {
      const drawn: Tensor = withKey('random.multinomial', foldIn(k, number), lead, (high, low) =>
        successes(nodeOf(left), nodeOf(part), high, low),
      )
      return [tensorOf(sub(nodeOf(left), nodeOf(drawn))), drawn] as const
    },
    tensorOf(n),
    slices,
  )
  const total = reshapeNode(narrowNode(rest, 0, 0, 1), lead)
  const least = build.reduce([p], { monoid: 'min', axes: [last] })
  const most = 2 ** 127
  const isPossible = [
    within(n, mostTrials),
    within(least, most),
    within(total, most),
    binaryNode('lt', likeNode(0, typeOf(total)), total),
  ].reduce((a, b) => binaryNode('and', a, b))
  const type = typeOf(front)
  const known = build.broadcast([isPossible], { shape: type.shape, axes: [0] })
  const lines = selectNode(known, nodeOf(counts as Tensor), likeNode(-1, type))
  return castNode(permuteNode(lines, [...lead.map((_, i) => i + 1), 0]), 'i32')
}

/**
 * How many of `n` things (a number, or a tensor that broadcasts to the shape) fall into each class, with the probabilities `p`
 * `[…, classes]`, whose leading axes broadcast to the shape, which may be left out: i32 of `[...shape, classes]`, lines that
 * add up to n (jax.random.multinomial's distribution, not its numbers). p need not add up to 1: its share counts. A
 * `binomial` a class, one after the other; n is rounded down. -1 in a line whose n or p is negative or not finite, or whose p
 * is all 0. ShapeError for a scalar p and for no classes.
 * @example
 * const x = random.multinomial(random.key(0), [3], { n: 10, p: T.tensor([0.2, 0.5, 0.3]) })
 * T.reference(T.sum(x, { axis: -1 })).data // => [10, 10, 10]
 */
export const multinomial: DistributionOfLines<MultinomialOptions, 'i32'> = (k: Tensor, ...args: readonly unknown[]) => {
  const name = 'random.multinomial'
  const { shape, parameters } = readCall(name, multinomialOptions, args)
  const n = parameterNode(name, parameters.n, 1)
  return onLines(name, parameters.p, 'p', shape, (own) =>
    tensorOf(
      withTypes(name, [n], ([type]) => {
        const lead = own.slice(0, -1)
        const joint = shape ? E.right<never, Shape>(lead) : jointShape([type!.shape, lead])
        if (E.isLeft(joint)) return refuse(name, [n, nodeOf(parameters.p)], joint.left)
        if (own.at(-1) === 0) return refuse(name, [nodeOf(parameters.p)], { reason: 'p has no classes' })
        return nodeOf(
          withParameters(name, k, [...joint.right, own.at(-1)!], [parameters.p], ([p]) =>
            nodeOf(
              withParameters(name, k, joint.right, [tensorOf(n)], ([count]) =>
                classCounts(k, build.floor([count!], {}), p!),
              ),
            ),
          ),
        )
      }),
    ),
  )
}

/** How likely each trial succeeds. */
export interface GeometricOptions {
  readonly p: Operand
}

/**
 * How many trials it takes until one succeeds, that one too, each with probability `p` (a number, or a tensor that broadcasts
 * to the shape, which may be left out): i32 of `shape`, from 1 on, ⌊log(1 - u) / log(1 - p)⌋ + 1 (jax.random.geometric).
 * 1 for p 1; 2³¹ - 1, the largest there is, for p 0, as there is no last; -1 for a tensor's p outside [0, 1], UsageError for such a
 * number.
 * @example
 * const x = T.cast(random.geometric(random.key(0), [4000], { p: 0.25 }), 'f32')
 * T.reference(T.lessEqual(T.abs(T.sub(T.mean(x), 4)), 0.2)).data // => [1]
 */
export const geometric: Distribution<GeometricOptions, 'i32'> = distribution<GeometricOptions, 'i32'>(
  'random.geometric',
  { p: 'must operand' },
  {},
  ([p], high, low) => {
    const type = typeOf(p!)
    const like = (x: number): Node => likeNode(x, type)
    const isPossible = binaryNode('lt', like(0), p!)
    const rate = build.neg([log1pNode(build.neg([selectNode(isPossible, p!, like(1))], {}))], {})
    const failures = build.floor([div(exponentialOf(bitsNode(high, low, type.shape)), rate)], {})
    const drawn = castNode(add(failures, like(1)), 'i32')
    const whole = (x: number): Node => likeNode(x, { shape: type.shape, dtype: 'i32' })
    const count = selectNode(isPossible, drawn, whole(integerRange.i32[1]))
    return selectNode(within(p!, 1), count, whole(-1))
  },
  ({ p }) => demandChance('random.geometric', p),
)
