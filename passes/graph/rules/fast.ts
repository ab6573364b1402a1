/** Rules enabled by `fastMath`: valid for real numbers but not for every float (NaN, infinities, -0, rounding). */
import { typeOf } from '../../../src/lang/build.ts'
import { otherAxes } from '../../../src/lang/shape.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { sumOfBroadcast } from './contract.ts'
import { fillLike, hasFloats, isSplat, splat } from './match.ts'

/** x * 0 = 0: not for NaN and infinities. */
export const fastMulZero: Rule = rule('fastMulZero', ['mul'], (n, b) =>
  splat(n.args[1]!) === 0 ? fillLike(b, n, 0) : undefined,
)

/** x + 0 = x: not for -0. */
export const fastAddZero: Rule = rule('fastAddZero', ['add', 'sub'], ({ args: [x, y] }) =>
  splat(y!) === 0 ? x : undefined,
)

/** x - x = 0: not for NaN and infinities. */
export const fastSubSelf: Rule = rule('fastSubSelf', ['sub'], (n, b) =>
  n.args[0] === n.args[1] ? fillLike(b, n, 0) : undefined,
)

/** x / x = 1: not for 0, NaN and infinities. */
export const fastDivSelf: Rule = rule('fastDivSelf', ['div'], (n, b) =>
  n.args[0] === n.args[1] && hasFloats(n) ? fillLike(b, n, 1) : undefined,
)

/** 0 / x = 0: not for 0 and NaN. */
export const fastZeroDiv: Rule = rule('fastZeroDiv', ['div'], (n, b) =>
  isSplat(n.args[0]!, 0) && hasFloats(n) ? fillLike(b, n, 0) : undefined,
)

/** x / c = x * (1/c): one more rounding. */
export const fastDivConstant: Rule = rule('fastDivConstant', ['div'], (n, b) => {
  const c = splat(n.args[1]!)
  if (c === undefined || !hasFloats(n) || !Number.isFinite(1 / c)) return undefined
  return b.mul([n.args[0]!, fillLike(b, n, 1 / c)], {})
})

/** x^3 = x·x·x, x^½ = √x: rounds differently, and √ of -0 and -∞ differs. */
export const fastPow: Rule = rule('fastPow', ['pow'], (n, b) => {
  const x = n.args[0]!
  if (!hasFloats(n)) return undefined
  const y = splat(n.args[1]!)
  if (y === 3) return b.mul([x, b.mul([x, x], {})], {})
  if (y === 0.5) return b.sqrt([x], {})
  return y === -0.5 ? b.rsqrt([x], {}) : undefined
})

/** -(x - y) = y - x: not for the sign of zero. */
export const fastNegSub: Rule = rule('fastNegSub', ['neg'], ({ args: [x] }, b) =>
  x!.op === 'sub' ? b.sub([x!.args[1]!, x!.args[0]!], {}) : undefined,
)

/** log(exp x) = x: not where exp overflows. */
export const fastLogExp: Rule = rule('fastLogExp', ['log'], ({ args: [x] }) =>
  x!.op === 'exp' ? x!.args[0] : undefined,
)

/** Reassociation, (x + c) + d = x + (c + d), (xc)d = x(cd): rounds differently. */
export const fastJoin: Rule = rule('fastJoin', ['add', 'mul'], (n, b) => {
  const [x, d] = [n.args[0]!, n.args[1]!]
  if (x.op !== n.op || splat(d) === undefined || splat(x.args[1]!) === undefined) return undefined
  return b[n.op]([x.args[0]!, b[n.op]([x.args[1]!, d], {})], {})
})

/** A sum over a broadcast axis is a multiplication by its size: rounds differently. */
export const fastSumRepeated: Rule = rule('fastSumRepeated', ['reduce'], (n, b) => sumOfBroadcast(b, n))

/** Nested sums (products) are one sum (product), in another order of summation. */
export const fastReduceTwice: Rule = rule('fastReduceTwice', ['reduce'], (n, b) => {
  const x = n.args[0]!
  const { monoid, axes } = n.params
  if (x.op !== 'reduce' || x.params.monoid !== monoid || (monoid !== 'sum' && monoid !== 'prod')) return undefined
  const source = x.args[0]!
  const kept = otherAxes(typeOf(source).shape.length, x.params.axes)
  return b.reduce([source], {
    monoid,
    axes: [...x.params.axes, ...axes.map((a) => kept[a]!)].toSorted((p, q) => p - q),
  })
})

/** All rules of this file, in the order in which they are tried. */
export const fastRules: readonly Rule[] = [
  fastMulZero,
  fastAddZero,
  fastSubSelf,
  fastDivSelf,
  fastZeroDiv,
  fastDivConstant,
  fastPow,
  fastNegSub,
  fastLogExp,
  fastJoin,
  fastSumRepeated,
  fastReduceTwice,
]
