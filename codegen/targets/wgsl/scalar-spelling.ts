/**
 * The WGSL spelling of each elementwise operation on each scalar type, as one total table: native operators where WGSL
 * defines them well enough, else functions.
 */

import { invariant } from '../../../src/lang/errors.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import { functionFor } from '../../kernel/functions/elementwise.ts'
import { type FunctionName, kernelFunction } from '../../kernel/functions/table.ts'
import type { KType, Scalar } from '../../kernel/kernel.ts'
import type { FunctionTexts } from './function-texts.ts'
import { opaqueValue } from './opaque.ts'
import { typeName } from './type-name.ts'

/** The environment of a spelling: the width, functions, which operands are constants. */
export interface Site {
  readonly width: KType['width']
  readonly functions: FunctionTexts
  /** Whether subnormal numbers are kept. */
  readonly keep: boolean
  /** The value of operand i where it is a constant (in every lane). */
  readonly constant: (i: number) => number | undefined
}

/** The site of an operation, and the type that it is spelled for. */
interface OpSite extends Site {
  readonly op: UnaryOp | BinaryOp
  readonly scalar: Scalar
}

type Spell = (site: OpSite, a: string, b: string) => string

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
/** The name of a function, which is then emitted. */
const use = (site: Site, name: FunctionName): string =>
  site.functions.use(kernelFunction(name, site.width, site.functions.keep))
/** `a` as a value that is not a constant expression. */
const opaque = (site: Site, scalar: Scalar, a: string): string =>
  `${site.functions.use(opaqueValue(scalar, site.width))}(${a})`
/** By the function that the op takes. */
const called: Spell = (site, a, b) => {
  const f = functionFor(site.op, site.scalar, site.keep, site.constant)
  invariant(f, `${site.op} of ${site.scalar} takes no function`)
  return f.turned ? native(use(site, f.name))(site, b, a) : native(use(site, f.name))(site, a, b)
}
/** As `device` has it, or with a form that keeps subnormal numbers. */
const either =
  (device: Spell, kept: Spell = called): Spell =>
  (site, a, b) =>
    (site.keep ? kept : device)(site, a, b)
const same: Spell = (_site, a) => a
const wide = (site: Site, scalar: Scalar, text: string): string =>
  site.width === 1 ? text : `${typeName({ scalar, width: site.width })}(${text})`
const word = (site: Site): string => typeName({ scalar: 'u32', width: site.width })

const floatOnly = (f32: Spell, f16: Row['f16'] = 'wide'): Row => ({ f32, i32: never, u32: never, bool: never, f16 })
const special = floatOnly(called)
const rounding = (f32: Spell, f16: Row['f16'] = 'same'): Row => ({ f32, i32: same, u32: same, bool: never, f16 })

const onBits =
  (op: '^' | '&', word32: string): Spell =>
  (site, a) =>
    `bitcast<${typeName({ scalar: 'f32', width: site.width })}>(bitcast<${word(site)}>(${a}) ${op} ${wide(site, 'u32', word32)})`
const negated = onBits('^', '0x80000000u')

const magnitude = (site: Site, a: string): string =>
  `(bitcast<${word(site)}>(${a}) & ${wide(site, 'u32', '0x7fffffffu')})`

/** Unary ops. The predicates look at bits: comparing NaN with itself folds away on some devices. */
const unarySpelling: { readonly [K in UnaryOp]: Row } = {
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
    f32: called,
    i32: native('sign'),
    u32: (s, a) => `min(${a}, ${wide(s, 'u32', '1u')})`,
    bool: never,
    f16: 'wide',
  },
  floor: rounding(either(native('floor'))),
  ceil: rounding(either(native('ceil'))),
  trunc: rounding(native('trunc')),
  round: rounding(called, 'wide'),
  sqrt: special,
  rsqrt: special,
  exp: special,
  exp2: special,
  expm1: special,
  log: special,
  log2: special,
  log10: special,
  log1p: special,
  sin: special,
  cos: special,
  tan: special,
  asin: special,
  acos: special,
  atan: special,
  sinh: special,
  cosh: special,
  tanh: special,
  asinh: special,
  acosh: special,
  atanh: special,
  erf: special,
  erfc: special,
  erfinv: special,
  lgamma: special,
  digamma: special,
  sigmoid: special,
  not: { f32: never, i32: prefix('~'), u32: prefix('~'), bool: prefix('!'), f16: 'same' },
  isNan: floatOnly((s, a) => `(${magnitude(s, a)} > ${wide(s, 'u32', '0x7f800000u')})`),
  isInf: floatOnly((s, a) => `(${magnitude(s, a)} == ${wide(s, 'u32', '0x7f800000u')})`),
}

const both = (op: string, bool: Spell = never): Row => ({
  f32: either(infix(op)),
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
  if (other === undefined) return either(infix('*'))(site, a, b)
  const isConstant = site.constant(0) !== undefined && site.constant(1) !== undefined
  const shown = isConstant ? opaque(site, 'f32', other) : other
  return zeroUnless(site, `(${magnitude(site, shown)} >= ${wide(site, 'u32', '0x7f800000u')})`)
}

/** A constant zero divided by zero or NaN is NaN. */
const divideFloat: Spell = (site, a, b) => {
  if (site.constant(0) !== 0) return either(infix('/'))(site, a, b)
  // Drivers fold operations on two constants and reject NaN: one operand goes through a function.
  const shown = site.constant(1) === undefined ? b : opaque(site, 'f32', b)
  const before = `(${magnitude(site, shown)} - ${wide(site, 'u32', '1u')})`
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
    return c === 0 ? `(${a} ${op} ${opaque(site, 'u32', b)})` : `(${a} ${op} ${b})`
  }
const divideSigned =
  (op: '/' | '%'): Spell =>
  (site, a, b) =>
    site.constant(1) === 0 ? `(${a} ${op} ${opaque(site, 'i32', b)})` : `(${a} ${op} ${b})`

const shift =
  (op: '<<' | '>>'): Spell =>
  (site, a, b) => {
    const c = site.constant(1)
    return c !== undefined && c >= 0 && c < 32 ? `(${a} ${op} ${wide(site, 'u32', `${c}u`)})` : called(site, a, b)
  }
const shifts = (op: '<<' | '>>'): Row => ({ f32: never, i32: shift(op), u32: shift(op), bool: never, f16: 'same' })

/** Binary ops. On bool: add, max, or are `|`, mul, min, and are `&`, sub, xor are `!=`, and false < true. */
const binarySpelling: { readonly [K in BinaryOp]: Row } = {
  add: both('+', infix('|')),
  sub: both('-', infix('!=')),
  mul: { ...both('*', infix('&')), f32: multiply },
  div: { f32: divideFloat, i32: divideSigned('/'), u32: divide('/'), bool: never, f16: 'same' },
  rem: { f32: called, i32: divideSigned('%'), u32: divide('%'), bool: never, f16: 'wide' },
  pow: { f32: called, i32: called, u32: called, bool: never, f16: 'wide' },
  atan2: special,
  max: { f32: called, i32: native('max'), u32: native('max'), bool: infix('|'), f16: 'wide' },
  min: { f32: called, i32: native('min'), u32: native('min'), bool: infix('&'), f16: 'wide' },
  eq: both('==', infix('==')),
  lt: both('<', (_s, a, b) => `(!${a} & ${b})`),
  le: both('<=', (_s, a, b) => `(!${a} | ${b})`),
  and: { f32: never, i32: infix('&'), u32: infix('&'), bool: infix('&'), f16: 'same' },
  or: { f32: never, i32: infix('|'), u32: infix('|'), bool: infix('|'), f16: 'same' },
  xor: { f32: never, i32: infix('^'), u32: infix('^'), bool: infix('!='), f16: 'same' },
  shiftLeft: shifts('<<'),
  shiftRight: shifts('>>'),
}

const spelling: { readonly [K in UnaryOp | BinaryOp]: Row } = { ...unarySpelling, ...binarySpelling }

/** The text of an elementwise op on operands of `scalar`; `resultIsBool` for predicates and comparisons. */
export const spell = (
  op: UnaryOp | BinaryOp,
  site: Site,
  scalar: Scalar,
  resultIsBool: boolean,
  a: string,
  b: string,
): string => {
  const row = spelling[op]
  if (scalar !== 'f16') return row[scalar]({ ...site, op, scalar }, a, b)
  // Spellings for a known constant, and those that keep subnormal numbers, look at the bits of an f32.
  if (row.f16 === 'same') return row.f32({ ...site, op, scalar, keep: false, constant: () => undefined }, a, b)
  const f32 = typeName({ scalar: 'f32', width: site.width })
  const text = row.f32({ ...site, op, scalar: 'f32' }, `${f32}(${a})`, b === '' ? '' : `${f32}(${b})`)
  return resultIsBool ? text : `${typeName({ scalar: 'f16', width: site.width })}(${text})`
}

/** The text of a conversion by value. */
export const spellCast = (site: Site, from: Scalar, to: Scalar, a: string): string => {
  const target = typeName({ scalar: to, width: site.width })
  if (from === 'f16' && to !== 'f32')
    return spellCast(site, 'f32', to, `${typeName({ scalar: 'f32', width: site.width })}(${a})`)
  if (from === 'f32' && to === 'i32') return `${use(site, 'toI32')}(${a})`
  if (from === 'f32' && to === 'u32') return `${use(site, 'toU32')}(${a})`
  if (from === 'f32' && to === 'bool') return `(${magnitude(site, a)} != ${wide(site, 'u32', '0u')})`
  invariant(from !== to, `cast of ${from} to itself`)
  return `${target}(${a})`
}
