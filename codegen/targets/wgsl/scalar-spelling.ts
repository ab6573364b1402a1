/**
 * The WGSL spelling of each elementwise operation on each scalar type, as one total table: native operators where WGSL
 * defines them well enough, else guarded helpers.
 */

import { invariant } from '../../../src/lang/errors.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import type { KType, Scalar } from '../../kernel/kernel.ts'
import { typeName } from './lanes.ts'
import type { HelperName, Prelude } from './prelude.ts'

/** The environment of a spelling: the width, helpers, which operands are constants. */
export interface Site {
  readonly width: KType['width']
  readonly prelude: Prelude
  /** Whether subnormal numbers are kept. */
  readonly keep: boolean
  /** The value of operand i where it is a constant (in every lane). */
  readonly constant: (i: number) => number | undefined
}

type Spell = (site: Site, a: string, b: string) => string

/** A row: the spelling per scalar, `never` where the op is not defined; f16 is spelled like f32 or computed in f32. */
interface Row {
  readonly f32: Spell
  readonly i32: Spell
  readonly u32: Spell
  readonly bool: Spell
  readonly f16: 'same' | 'wide'
}

const never: Spell = () => {
  throw new Error('tensorloom bug: an operation has no spelling for this type')
}
const infix =
  (op: string): Spell =>
  (_site, a, b) =>
    `(${a} ${op} ${b})`
const prefix =
  (op: string): Spell =>
  (_site, a) =>
    `(${op}${a})`
const native =
  (name: string): Spell =>
  (_site, a, b) =>
    b === '' ? `${name}(${a})` : `${name}(${a}, ${b})`
const helper =
  (name: HelperName): Spell =>
  (site, a, b) =>
    native(site.prelude.use(name, site.width))(site, a, b)
/** As `device` has it, or with a form that keeps subnormal numbers. */
const either =
  (device: Spell, kept: Spell): Spell =>
  (site, a, b) =>
    (site.keep ? kept : device)(site, a, b)
const same: Spell = (_site, a) => a
const wide = (site: Site, scalar: Scalar, text: string): string =>
  site.width === 1 ? text : `${typeName({ scalar, width: site.width })}(${text})`
const word = (site: Site): string => typeName({ scalar: 'u32', width: site.width })

const floatOnly = (f32: Spell, f16: Row['f16'] = 'wide'): Row => ({ f32, i32: never, u32: never, bool: never, f16 })
const special = (name: HelperName): Row => floatOnly(helper(name))
const rounding = (f32: Spell, f16: Row['f16'] = 'same'): Row => ({ f32, i32: same, u32: same, bool: never, f16 })

const onBits =
  (op: '^' | '&', word32: string): Spell =>
  (site, a) =>
    `bitcast<${typeName({ scalar: 'f32', width: site.width })}>(bitcast<${word(site)}>(${a}) ${op} ${wide(site, 'u32', word32)})`
const negated = onBits('^', '0x80000000u')

const magnitude: Spell = (site, a) => `(bitcast<${word(site)}>(${a}) & ${wide(site, 'u32', '0x7fffffffu')})`

/** Unary ops. The predicates look at bits: comparing NaN with itself folds away on some devices. */
export const unarySpelling: { readonly [K in UnaryOp]: Row } = {
  neg: {
    f32: either(prefix('-'), negated),
    i32: prefix('-'),
    u32: (s, a) => `(${wide(s, 'u32', '0u')} - ${a})`,
    bool: never,
    f16: 'same',
  },
  abs: {
    f32: either(native('abs'), onBits('&', '0x7fffffffu')),
    i32: native('abs'),
    u32: same,
    bool: never,
    f16: 'same',
  },
  sign: {
    f32: helper('sign'),
    i32: native('sign'),
    u32: (s, a) => `min(${a}, ${wide(s, 'u32', '1u')})`,
    bool: never,
    f16: 'wide',
  },
  floor: rounding(either(native('floor'), helper('keptFloor'))),
  ceil: rounding(either(native('ceil'), helper('keptCeil'))),
  trunc: rounding(native('trunc')),
  round: rounding(helper('round'), 'wide'),
  sqrt: special('sqrt'),
  rsqrt: special('rsqrt'),
  exp: special('exp'),
  exp2: special('exp2'),
  expm1: special('expm1'),
  log: special('log'),
  log2: special('log2'),
  log10: special('log10'),
  log1p: special('log1p'),
  sin: special('sin'),
  cos: special('cos'),
  tan: special('tan'),
  asin: special('asin'),
  acos: special('acos'),
  atan: special('atan'),
  sinh: special('sinh'),
  cosh: special('cosh'),
  tanh: special('tanh'),
  asinh: special('asinh'),
  acosh: special('acosh'),
  atanh: special('atanh'),
  erf: special('erf'),
  erfc: special('erfc'),
  erfinv: special('erfinv'),
  lgamma: special('lgamma'),
  digamma: special('digamma'),
  sigmoid: special('sigmoid'),
  not: { f32: never, i32: prefix('~'), u32: prefix('~'), bool: prefix('!'), f16: 'same' },
  isNan: floatOnly((s, a) => `(${magnitude(s, a, '')} > ${wide(s, 'u32', '0x7f800000u')})`),
  isInf: floatOnly((s, a) => `(${magnitude(s, a, '')} == ${wide(s, 'u32', '0x7f800000u')})`),
}

const both = (op: string, kept: Spell, bool: Spell = never): Row => ({
  f32: either(infix(op), kept),
  i32: infix(op),
  u32: infix(op),
  bool,
  f16: 'same',
})

/** 0 where `fails` is false, NaN where it is true. The optimiser of a driver folds `x * 0` and `0 / x` to 0. */
const zeroUnless = (site: Site, fails: string): string => {
  const bits = `select(${wide(site, 'u32', '0u')}, ${wide(site, 'u32', '0x7fc00000u')}, ${fails})`
  return `bitcast<${typeName({ scalar: 'f32', width: site.width })}>(${bits})`
}

/** A product with a constant zero is zero for finite numbers only. */
const multiply: Spell = (site, a, b) => {
  const other = site.constant(0) === 0 ? b : site.constant(1) === 0 ? a : undefined
  if (other === undefined) return either(infix('*'), helper('keptMul'))(site, a, b)
  const isConstant = site.constant(0) !== undefined && site.constant(1) !== undefined
  const shown = isConstant ? `${site.prelude.use('f32', site.width)}(${other})` : other
  return zeroUnless(site, `(${magnitude(site, shown, '')} >= ${wide(site, 'u32', '0x7f800000u')})`)
}

/** A constant zero divided by zero or NaN is NaN. */
const divideFloat: Spell = (site, a, b) => {
  if (site.constant(0) !== 0) return either(infix('/'), helper('keptDiv'))(site, a, b)
  // Drivers fold operations on two constants and reject NaN: one operand goes through a function.
  const shown = site.constant(1) === undefined ? b : `${site.prelude.use('f32', site.width)}(${b})`
  const before = `(${magnitude(site, shown, '')} - ${wide(site, 'u32', '1u')})`
  return zeroUnless(site, `(${before} >= ${wide(site, 'u32', '0x7f800000u')})`)
}

/**
 * Integer division: a shift or mask for a constant power of two (u32); a constant zero must be opaque to the compiler.
 */
const divide =
  (op: '/' | '%'): Spell =>
  (site, a, b) => {
    const c = site.constant(1)
    if (c !== undefined && c > 0 && (c & (c - 1)) === 0)
      return op === '/'
        ? `(${a} >> ${wide(site, 'u32', `${Math.log2(c)}u`)})`
        : `(${a} & ${wide(site, 'u32', `${c - 1}u`)})`
    return c === 0 ? `(${a} ${op} ${site.prelude.use('u32', site.width)}(${b}))` : `(${a} ${op} ${b})`
  }
const divideSigned =
  (op: '/' | '%'): Spell =>
  (site, a, b) =>
    site.constant(1) === 0 ? `(${a} ${op} ${site.prelude.use('i32', site.width)}(${b}))` : `(${a} ${op} ${b})`

/**
 * max and min of floats: with a constant that is neither NaN nor the zero that would lose against another zero, one
 * test is enough.
 */
const extreme =
  (
    general: 'max' | 'min',
    withConstant: 'maxConst' | 'minConst',
    losingZero: number,
    kept: 'keptMax' | 'keptMin',
  ): Spell =>
  (site, a, b) => {
    const easy = (i: number): boolean => {
      const c = site.constant(i)
      return c !== undefined && !Number.isNaN(c) && !Object.is(c, losingZero)
    }
    if (site.keep) return `${site.prelude.use(kept, site.width)}(${a}, ${b})`
    if (easy(1)) return `${site.prelude.use(withConstant, site.width)}(${a}, ${b})`
    if (easy(0)) return `${site.prelude.use(withConstant, site.width)}(${b}, ${a})`
    return `${site.prelude.use(general, site.width)}(${a}, ${b})`
  }

const shift =
  (op: '<<' | '>>', name: HelperName): Spell =>
  (site, a, b) => {
    const c = site.constant(1)
    if (c !== undefined && c >= 0 && c < 32) return `(${a} ${op} ${wide(site, 'u32', `${c}u`)})`
    return `${site.prelude.use(name, site.width)}(${a}, ${b})`
  }
const signedShift =
  (op: '<<' | '>>', name: HelperName): Spell =>
  (site, a, b) => {
    const amount = `bitcast<${word(site)}>(${b})`
    if (op === '>>') return shift(op, name)(site, a, amount)
    const c = site.constant(1)
    if (c !== undefined && c >= 0 && c < 32) return shift(op, name)(site, a, amount)
    const text = `${site.prelude.use(name, site.width)}(bitcast<${word(site)}>(${a}), ${amount})`
    return `bitcast<${typeName({ scalar: 'i32', width: site.width })}>(${text})`
  }

const keptAdd = helper('keptAdd')

/** Binary ops. On bool: add, max, or are `|`, mul, min, and are `&`, sub, xor are `!=`, and false < true. */
export const binarySpelling: { readonly [K in BinaryOp]: Row } = {
  add: both('+', keptAdd, infix('|')),
  sub: both('-', (s, a, b) => keptAdd(s, a, negated(s, b, '')), infix('!=')),
  mul: { ...both('*', never, infix('&')), f32: multiply },
  div: { f32: divideFloat, i32: divideSigned('/'), u32: divide('/'), bool: never, f16: 'same' },
  rem: { f32: helper('rem'), i32: divideSigned('%'), u32: divide('%'), bool: never, f16: 'wide' },
  pow: { f32: helper('pow'), i32: helper('powI32'), u32: helper('powU32'), bool: never, f16: 'wide' },
  atan2: special('atan2'),
  max: {
    f32: extreme('max', 'maxConst', -0, 'keptMax'),
    i32: native('max'),
    u32: native('max'),
    bool: infix('|'),
    f16: 'wide',
  },
  min: {
    f32: extreme('min', 'minConst', 0, 'keptMin'),
    i32: native('min'),
    u32: native('min'),
    bool: infix('&'),
    f16: 'wide',
  },
  eq: both('==', helper('keptEq'), infix('==')),
  lt: both('<', helper('keptLt'), (_s, a, b) => `(!${a} & ${b})`),
  le: both('<=', helper('keptLe'), (_s, a, b) => `(!${a} | ${b})`),
  and: { f32: never, i32: infix('&'), u32: infix('&'), bool: infix('&'), f16: 'same' },
  or: { f32: never, i32: infix('|'), u32: infix('|'), bool: infix('|'), f16: 'same' },
  xor: { f32: never, i32: infix('^'), u32: infix('^'), bool: infix('!='), f16: 'same' },
  shiftLeft: {
    f32: never,
    i32: signedShift('<<', 'shiftLeft'),
    u32: shift('<<', 'shiftLeft'),
    bool: never,
    f16: 'same',
  },
  shiftRight: {
    f32: never,
    i32: signedShift('>>', 'shiftSigned'),
    u32: shift('>>', 'shiftRight'),
    bool: never,
    f16: 'same',
  },
}

/** The text of an elementwise op on operands of `scalar`; `resultIsBool` for predicates and comparisons. */
export const spell = (row: Row, site: Site, scalar: Scalar, resultIsBool: boolean, a: string, b: string): string => {
  if (scalar !== 'f16') return row[scalar](site, a, b)
  // Spellings for a known constant, and those that keep subnormal numbers, look at the bits of an f32.
  if (row.f16 === 'same') return row.f32({ ...site, keep: false, constant: () => undefined }, a, b)
  const f32 = typeName({ scalar: 'f32', width: site.width })
  const text = row.f32(site, `${f32}(${a})`, b === '' ? '' : `${f32}(${b})`)
  return resultIsBool ? text : `${typeName({ scalar: 'f16', width: site.width })}(${text})`
}

/** The text of a conversion by value. */
export const spellCast = (site: Site, from: Scalar, to: Scalar, a: string): string => {
  const target = typeName({ scalar: to, width: site.width })
  if (from === 'f16' && to !== 'f32')
    return spellCast(site, 'f32', to, `${typeName({ scalar: 'f32', width: site.width })}(${a})`)
  if (from === 'f32' && to === 'i32') return `${site.prelude.use('toI32', site.width)}(${a})`
  if (from === 'f32' && to === 'u32') return `${site.prelude.use('toU32', site.width)}(${a})`
  if (from === 'f32' && to === 'bool') return `(${magnitude(site, a, '')} != ${wide(site, 'u32', '0u')})`
  invariant(from !== to, `cast of ${from} to itself`)
  return `${target}(${a})`
}
