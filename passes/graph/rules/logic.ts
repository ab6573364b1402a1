/** Rules of select, casts, bitcasts and bitwise operations. All exact. */
import { typeOf } from '../../../src/lang/build.ts'
import { type DType, dtypes, integerRange, isFloat, isInteger, isUnsigned } from '../../../src/lang/dtype.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { fillLike, hasBools, hasFloats, hasIntegers, isSplat, splat } from './match.ts'

/** A constant condition, or equal operands: select(true, x, y) = x, select(c, x, x) = x. */
export const selectKnown: Rule = rule('selectKnown', ['select'], ({ args: [c, x, y] }) => {
  const known = splat(c!)
  if (known !== undefined) return known === 0 ? y : x
  return x === y ? x : undefined
})

/** select(not c, x, y) = select(c, y, x). */
export const selectNot: Rule = rule('selectNot', ['select'], ({ args: [c, x, y] }, b) =>
  c!.op === 'not' ? b.select([c!.args[0]!, y!, x!], {}) : undefined,
)

/** select(c, true, false) = c, and its negation. */
export const selectBool: Rule = rule('selectBool', ['select'], (n, b) => {
  const [c, x, y] = [n.args[0]!, n.args[1]!, n.args[2]!]
  if (!hasBools(n)) return undefined
  if (isSplat(x, 1) && isSplat(y, 0)) return c
  return isSplat(x, 0) && isSplat(y, 1) ? b.not([c], {}) : undefined
})

/** select(c, select(c, x, y), z) = select(c, x, z); likewise in the other branch. */
export const selectSame: Rule = rule('selectSame', ['select'], ({ args: [c, x, y] }, b) => {
  if (x!.op === 'select' && x!.args[0] === c) return b.select([c!, x!.args[1]!, y!], {})
  return y!.op === 'select' && y!.args[0] === c ? b.select([c!, x!, y!.args[2]!], {}) : undefined
})

/** A cast to the operand's own dtype is the operand. */
export const castSame: Rule = rule('castSame', ['cast', 'bitcast'], ({ args: [x], params: { dtype } }) =>
  typeOf(x!).dtype === dtype ? x : undefined,
)

/** For each dtype, the dtypes that a cast may pass through without changing the result of a second cast. */
const wider: Partial<Readonly<Record<DType, readonly DType[]>>> = {
  bool: dtypes,
  f16: ['f32'],
  bf16: ['f32'],
  i8: ['i32'],
  u8: ['u32', 'i32'],
}

const widens = (from: DType, to: DType): boolean => wider[from]?.includes(to) === true

/** A cast of a widening cast is a single cast. */
export const castWidened: Rule = rule('castWidened', ['cast'], ({ args: [x], params }, b) => {
  if (x!.op !== 'cast') return undefined
  const source = x!.args[0]!
  return widens(typeOf(source).dtype, x!.params.dtype) ? b.cast([source], params) : undefined
})

/**
 * Nested bitcasts are one, if the inner one gives integers: a float in between might be a NaN, whose bits are not
 * preserved.
 */
export const bitcastTwice: Rule = rule('bitcastTwice', ['bitcast'], ({ args: [x], params }, b) => {
  if (x!.op !== 'bitcast' || !hasIntegers(x!)) return undefined
  const source = x!.args[0]!
  return hasFloats(source) && isFloat(params.dtype) ? undefined : b.bitcast([source], params)
})

/** not not x = x. */
export const notNot: Rule = rule('notNot', ['not'], ({ args: [x] }) => (x!.op === 'not' ? x!.args[0] : undefined))

/** The neutral element of `and` (all bits set) or of `or` and `xor` (none). */
const allBits = (dtype: DType): number =>
  dtype === 'bool' ? 1 : !isInteger(dtype) ? 0 : isUnsigned(dtype) ? integerRange[dtype][1] : -1

/** x and 0 = 0, x and 1… = x; x or 0 = x, x or 1… = 1…; x xor 0 = x, x xor 1… = not x. */
export const bitsWithConstant: Rule = rule('bitsWithConstant', ['and', 'or', 'xor'], (n, b) => {
  const [x, y] = [n.args[0]!, n.args[1]!]
  const c = splat(y)
  const all = allBits(typeOf(n).dtype)
  if (c === 0) return n.op === 'and' ? y : x
  if (c !== all) return undefined
  if (n.op === 'xor') return b.not([x], {})
  return n.op === 'and' ? x : y
})

/** A shift by 0 is the operand. */
export const shiftZero: Rule = rule('shiftZero', ['shiftLeft', 'shiftRight'], ({ args: [x, y] }) =>
  isSplat(y!, 0) ? x : undefined,
)

/** x = true is x, x = false is not x, for bools. */
export const eqBool: Rule = rule('eqBool', ['eq'], ({ args: [x, y] }, b) => {
  if (!hasBools(x!)) return undefined
  const c = splat(y!)
  return c === undefined ? undefined : c === 0 ? b.not([x!], {}) : x
})

/** isNan and isInf of a cast bool are false. */
export const numberFromBool: Rule = rule('numberFromBool', ['isNan', 'isInf'], (n, b) => {
  const x = n.args[0]!
  return x.op === 'cast' && hasFloats(x) && hasBools(x.args[0]!) ? fillLike(b, n, 0) : undefined
})

/** All rules of this file, in the order in which they are tried. */
export const logicRules: readonly Rule[] = [
  selectKnown,
  selectNot,
  selectBool,
  selectSame,
  castSame,
  castWidened,
  bitcastTwice,
  notNot,
  bitsWithConstant,
  shiftZero,
  eqBool,
  numberFromBool,
]
