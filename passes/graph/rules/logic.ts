/** Choices, conversions and bits: rules that hold exactly for every value. */
import { typeOf } from '../../../src/lang/build.ts'
import { type DType, dtypes, integerRange, isFloat, isInteger, isUnsigned } from '../../../src/lang/dtype.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { fillLike, hasBools, hasFloats, hasIntegers, isSplat, splat } from './match.ts'

/** A choice known when compiling, or between equals: select(true, x, y) = x, select(c, x, x) = x. */
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

/** A conversion to the dtype it has is none. */
export const castSame: Rule = rule('castSame', ['cast', 'bitcast'], ({ args: [x], params: { dtype } }) =>
  typeOf(x!).dtype === dtype ? x : undefined,
)

/** The dtypes that hold every value of a dtype, and convert it on to any other as it would be converted itself. */
const wider: Partial<Readonly<Record<DType, readonly DType[]>>> = {
  bool: dtypes,
  f16: ['f32'],
  bf16: ['f32'],
  i8: ['i32'],
  u8: ['u32', 'i32'],
}

const widens = (from: DType, to: DType): boolean => wider[from]?.includes(to) === true

/** A conversion of what was widened is one conversion. */
export const castWidened: Rule = rule('castWidened', ['cast'], ({ args: [x], params }, b) => {
  if (x!.op !== 'cast') return undefined
  const source = x!.args[0]!
  return widens(typeOf(source).dtype, x!.params.dtype) ? b.cast([source], params) : undefined
})

/** Bits read as an integer and read again are read once; as a float in between they could be a NaN, which keeps none. */
export const bitcastTwice: Rule = rule('bitcastTwice', ['bitcast'], ({ args: [x], params }, b) => {
  if (x!.op !== 'bitcast' || !hasIntegers(x!)) return undefined
  const source = x!.args[0]!
  return hasFloats(source) && isFloat(params.dtype) ? undefined : b.bitcast([source], params)
})

/** not not x = x. */
export const notNot: Rule = rule('notNot', ['not'], ({ args: [x] }) => (x!.op === 'not' ? x!.args[0] : undefined))

/** The element that `and` (`or`, `xor`) keeps: all bits set, or none. */
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

/** A shift by nothing. */
export const shiftZero: Rule = rule('shiftZero', ['shiftLeft', 'shiftRight'], ({ args: [x, y] }) =>
  isSplat(y!, 0) ? x : undefined,
)

/** x = true is x, x = false is not x, for bools. */
export const eqBool: Rule = rule('eqBool', ['eq'], ({ args: [x, y] }, b) => {
  if (!hasBools(x!)) return undefined
  const c = splat(y!)
  return c === undefined ? undefined : c === 0 ? b.not([x!], {}) : x
})

/** A bool, cast to a number, is a number and finite. */
export const numberFromBool: Rule = rule('numberFromBool', ['isNan', 'isInf'], (n, b) => {
  const x = n.args[0]!
  return x.op === 'cast' && hasFloats(x) && hasBools(x.args[0]!) ? fillLike(b, n, 0) : undefined
})

/** All of them, in the order they are tried. */
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
