/**
 * Bit-exact arithmetic identities: each preserves NaN, infinities and the sign of zero. Identities that hold only up to
 * rounding, or not for NaN, are in `fast.ts`.
 */
import { typeOf } from '../../../src/lang/build.ts'
import type { Op } from '../../../src/lang/ir.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { fillLike, hasBools, hasFloats, hasIntegers, isSplat, splat } from './match.ts'

/** x + (-0) = x, and x + 0 = x where there is no -0: for integers. (For floats -0 + 0 = 0.) */
export const addZero: Rule = rule('addZero', ['add'], ({ args: [x, y] }) =>
  isSplat(y!, hasFloats(y!) ? -0 : 0) ? x : undefined,
)

/** x - 0 = x, for any x: -0 - 0 = -0. */
export const subZero: Rule = rule('subZero', ['sub'], ({ args: [x, y] }) => (isSplat(y!, 0) ? x : undefined))

/** -0 - x = -x. */
export const zeroSub: Rule = rule('zeroSub', ['sub'], ({ args: [x, y] }, b) =>
  isSplat(x!, hasFloats(x!) ? -0 : 0) ? b.neg([y!], {}) : undefined,
)

/** x - x = 0 for integers; for floats it is NaN at infinities. */
export const subSelf: Rule = rule('subSelf', ['sub'], (n, b) =>
  n.args[0] === n.args[1] && hasIntegers(n) ? fillLike(b, n, 0) : undefined,
)

/** x * 1 = x. */
export const mulOne: Rule = rule('mulOne', ['mul'], ({ args: [x, y] }) => (isSplat(y!, 1) ? x : undefined))

/** x * 0 = 0 for integers; for floats it is NaN at infinities. */
export const mulZero: Rule = rule('mulZero', ['mul'], (n) =>
  isSplat(n.args[1]!, 0) && hasIntegers(n) ? n.args[1] : undefined,
)

/** x * -1 = -x. */
export const mulMinusOne: Rule = rule('mulMinusOne', ['mul'], ({ args: [x, y] }, b) =>
  isSplat(y!, -1) ? b.neg([x!], {}) : undefined,
)

/** x / 1 = x. */
export const divOne: Rule = rule('divOne', ['div'], ({ args: [x, y] }) => (isSplat(y!, 1) ? x : undefined))

/** Both `c` and 1/c are powers of two with normal f32 (f16) values, so that multiplying by 1/c is the division. */
const isPowerOfTwo = (c: number, exponents: number): boolean => {
  const e = Math.log2(Math.abs(c))
  return Number.isInteger(e) && Math.abs(e) <= exponents && 2 ** e === Math.abs(c)
}

/** x / c = x * (1/c) for floats and c a power of two, whose reciprocal is exact. */
export const divPowerOfTwo: Rule = rule('divPowerOfTwo', ['div'], (n, b) => {
  const c = splat(n.args[1]!)
  if (c === undefined || !hasFloats(n) || !isPowerOfTwo(c, typeOf(n).dtype === 'f16' ? 14 : 126)) return undefined
  return b.mul([n.args[0]!, fillLike(b, n, 1 / c)], {})
})

/** x rem 1 = 0 for integers. */
export const remOne: Rule = rule('remOne', ['rem'], (n, b) =>
  isSplat(n.args[1]!, 1) && hasIntegers(n) ? fillLike(b, n, 0) : undefined,
)

/** -(-x) = x. */
export const negNeg: Rule = rule('negNeg', ['neg'], ({ args: [x] }) => (x!.op === 'neg' ? x!.args[0] : undefined))

/** x + (-y) = x - y, (-x) + y = y - x. */
export const addNeg: Rule = rule('addNeg', ['add'], ({ args: [x, y] }, b) => {
  if (y!.op === 'neg') return b.sub([x!, y!.args[0]!], {})
  return x!.op === 'neg' ? b.sub([y!, x!.args[0]!], {}) : undefined
})

/** x - (-y) = x + y. */
export const subNeg: Rule = rule('subNeg', ['sub'], ({ args: [x, y] }, b) =>
  y!.op === 'neg' ? b.add([x!, y!.args[0]!], {}) : undefined,
)

/** (-x)(-y) = xy, (-x)c = x(-c); the same for a quotient of floats. The sign of a NaN does not count. */
export const mulNeg: Rule = rule('mulNeg', ['mul', 'div'], (n, b) => {
  const [x, y] = [n.args[0]!, n.args[1]!]
  if (x.op !== 'neg' || (n.op === 'div' && !hasFloats(n))) return undefined
  const c = splat(y)
  const other = y.op === 'neg' ? y.args[0]! : c !== undefined && hasFloats(n) ? fillLike(b, n, -c) : undefined
  return other && b[n.op]([x.args[0]!, other], {})
})

/** |-x| = |x|, cos(-x) = cos x, cosh(-x) = cosh x; |x| of |x| is |x|. Floats only: -x wraps for the least integer. */
export const evenOfNeg: Rule = rule('evenOfNeg', ['abs', 'cos', 'cosh'], (n, b) => {
  const x = n.args[0]!
  if (n.op === 'abs' && x.op === 'abs') return x
  return x.op === 'neg' && hasFloats(x) ? b[n.op]([x.args[0]!], {}) : undefined
})

const roundings: readonly Op[] = ['floor', 'ceil', 'trunc', 'round']

/** Rounding is idempotent. */
export const roundTwice: Rule = rule('roundTwice', ['floor', 'ceil', 'trunc', 'round'], ({ args: [x] }) =>
  roundings.includes(x!.op) ? x : undefined,
)

/** max(x, x) = min(x, x) = x; x and x = x or x = x. */
export const idempotent: Rule = rule('idempotent', ['max', 'min', 'and', 'or'], ({ args: [x, y] }) =>
  x === y ? x : undefined,
)

/** max(max(x, c), d) = max(x, max(c, d)), likewise min: nested clamps are combined. */
export const joinExtrema: Rule = rule('joinExtrema', ['max', 'min'], (n, b) => {
  const [x, d] = [n.args[0]!, splat(n.args[1]!)]
  if (x.op !== n.op || d === undefined) return undefined
  const c = splat(x.args[1]!)
  if (c === undefined) return undefined
  const joined = n.op === 'max' ? Math.max(c, d) : Math.min(c, d)
  return b[n.op]([x.args[0]!, fillLike(b, n, joined)], {})
})

/** (x + c) + d = x + (c + d) for integers, which wrap; (xc)d = x(cd) likewise. */
export const joinIntegers: Rule = rule('joinIntegers', ['add', 'mul'], (n, b) => {
  const [x, d] = [n.args[0]!, n.args[1]!]
  if (x.op !== n.op || !hasIntegers(n) || splat(d) === undefined || splat(x.args[1]!) === undefined) return undefined
  return b[n.op]([x.args[0]!, b[n.op]([x.args[1]!, d], {})], {})
})

/** x^1 = x, x^2 = x·x, x^-1 = 1/x, x^0 = 1^x = 1 (C99, NaN included). Floats. */
export const powConstant: Rule = rule('powConstant', ['pow'], (n, b) => {
  const [x, y] = [n.args[0]!, n.args[1]!]
  if (!hasFloats(n)) return undefined
  if (isSplat(x, 1)) return x
  switch (splat(y)) {
    case 0:
      return fillLike(b, n, 1)
    case 1:
      return x
    case 2:
      return b.mul([x, x], {})
    case -1:
      return b.div([fillLike(b, n, 1), x], {})
    default:
      return undefined
  }
})

/** x = x and x <= x are true, x xor x is 0, for integers and bools; x < x is false for everything. */
export const compareSelf: Rule = rule('compareSelf', ['eq', 'le', 'lt', 'xor'], (n, b) => {
  const [x, y] = n.args
  if (x !== y) return undefined
  if (n.op === 'lt') return fillLike(b, n, 0)
  if (!hasIntegers(x!) && !hasBools(x!)) return undefined
  return fillLike(b, n, n.op === 'xor' ? 0 : 1)
})

/** All rules of this file, in the order in which they are tried. */
export const arithmeticRules: readonly Rule[] = [
  addZero,
  subZero,
  zeroSub,
  subSelf,
  mulOne,
  mulZero,
  mulMinusOne,
  divOne,
  divPowerOfTwo,
  remOne,
  negNeg,
  addNeg,
  subNeg,
  mulNeg,
  evenOfNeg,
  roundTwice,
  idempotent,
  joinExtrema,
  joinIntegers,
  powConstant,
  compareSelf,
]
