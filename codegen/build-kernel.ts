/** Typed constructors of the Kernel IR: they compute types, check operands and fold integer constants, so lowering stays plain. */

import { invariant } from '../src/lang/errors.ts'
import type { BinaryOp, UnaryOp } from '../src/lang/ir.ts'
import type { Binding, Builtin, KExpr, KStmt, KType, LocalArray, Scalar } from './kernel.ts'
import { castValue, roundTo } from './scalar-value.ts'

/** The type of `width` lanes of `scalar`. */
export const kType = (scalar: Scalar, width: KType['width'] = 1): KType => types[scalar][width]

const widths = [1, 2, 3, 4] as const
const typesOf = (scalar: Scalar): Readonly<Record<KType['width'], KType>> => {
  const [one, two, three, four] = widths.map((width) => Object.freeze({ scalar, width }))
  return { 1: one!, 2: two!, 3: three!, 4: four! }
}
const types: { readonly [S in Scalar]: Readonly<Record<KType['width'], KType>> } = {
  f32: typesOf('f32'),
  i32: typesOf('i32'),
  u32: typesOf('u32'),
  bool: typesOf('bool'),
  f16: typesOf('f16'),
}

/** `f32`, `vec4<bool>`: a type as messages show it. */
export const showType = (t: KType): string => (t.width === 1 ? t.scalar : `vec${t.width}<${t.scalar}>`)

/** Whether two types are the same. */
export const sameType = (a: KType, b: KType): boolean => a.scalar === b.scalar && a.width === b.width

const isFloatScalar = (s: Scalar): boolean => s === 'f32' || s === 'f16'
const isIntegerScalar = (s: Scalar): boolean => s === 'i32' || s === 'u32'
const words: readonly Scalar[] = ['f32', 'i32', 'u32']

/** A constant of width 1, rounded to `scalar` (integers wrap, a bool is 0 or 1). */
export const lit = (value: number, scalar: Scalar = 'f32'): KExpr => ({
  kind: 'lit',
  type: kType(scalar),
  value: roundTo(scalar, value),
})

/** A u32 constant: indices and bounds. */
export const u32 = (value: number): KExpr => {
  invariant(Number.isInteger(value) && value >= 0 && value < 2 ** 32, `u32 constant ${value}`)
  return lit(value, 'u32')
}

/** A bool constant. */
export const bool = (value: boolean): KExpr => lit(value ? 1 : 0, 'bool')

/** A `let`, `var` or loop counter by name. */
export const ref = (name: string, type: KType = types.u32[1]): KExpr => ({ kind: 'ref', type, name })

/** The workgroup's number in the grid, or the invocation's number in its workgroup (u32). */
export const builtin = (name: Builtin): KExpr => ({ kind: 'builtin', type: types.u32[1], name })

/** The constant behind an expression, or nothing. A splat of a constant counts. */
export const constantOf = (e: KExpr): number | undefined => {
  let at = e
  while (at.kind === 'splat') at = at.a
  return at.kind === 'lit' ? at.value : undefined
}

const anyType: readonly Scalar[] = ['f32', 'i32', 'u32', 'bool', 'f16']
const numbers: readonly Scalar[] = ['f32', 'i32', 'u32', 'f16']
const integers: readonly Scalar[] = ['i32', 'u32']
const floats: readonly Scalar[] = ['f32', 'f16']
const bits: readonly Scalar[] = ['i32', 'u32', 'bool']

/** Scalars each unary op accepts; `floor`, `ceil`, `trunc` and `round` leave integers as they are. */
export const unaryDomain: { readonly [K in UnaryOp]: readonly Scalar[] } = {
  neg: numbers,
  abs: numbers,
  sign: numbers,
  floor: numbers,
  ceil: numbers,
  trunc: numbers,
  round: numbers,
  sqrt: floats,
  rsqrt: floats,
  exp: floats,
  exp2: floats,
  expm1: floats,
  log: floats,
  log2: floats,
  log10: floats,
  log1p: floats,
  sin: floats,
  cos: floats,
  tan: floats,
  asin: floats,
  acos: floats,
  atan: floats,
  sinh: floats,
  cosh: floats,
  tanh: floats,
  asinh: floats,
  acosh: floats,
  atanh: floats,
  erf: floats,
  erfc: floats,
  erfinv: floats,
  lgamma: floats,
  digamma: floats,
  sigmoid: floats,
  not: bits,
  isNan: numbers,
  isInf: numbers,
}

/** Scalars each binary op accepts. On bool, `add` and `max` are or, `mul` and `min` are and, `sub` is xor. */
export const binaryDomain: { readonly [K in BinaryOp]: readonly Scalar[] } = {
  add: anyType,
  sub: anyType,
  mul: anyType,
  div: numbers,
  rem: numbers,
  pow: numbers,
  atan2: floats,
  max: anyType,
  min: anyType,
  eq: anyType,
  lt: anyType,
  le: anyType,
  and: bits,
  or: bits,
  xor: bits,
  shiftLeft: integers,
  shiftRight: integers,
}

/** An elementwise op of one operand; the predicates give bool. */
export const unary = (op: UnaryOp, a: KExpr): KExpr => {
  invariant(unaryDomain[op].includes(a.type.scalar), `${op} of ${showType(a.type)}`)
  const integer = isIntegerScalar(a.type.scalar)
  if (op === 'isNan' || op === 'isInf') {
    if (integer) return splat(bool(false), a.type.width)
    return { kind: 'unary', op, a, type: kType('bool', a.type.width) }
  }
  if (integer && (op === 'floor' || op === 'ceil' || op === 'trunc' || op === 'round')) return a
  if (op === 'not' && a.kind === 'unary' && a.op === 'not') return a.a
  const value = a.kind === 'lit' ? a.value : undefined
  if (value !== undefined && op === 'neg') return lit(-value, a.type.scalar)
  if (value !== undefined && op === 'not' && a.type.scalar === 'bool') return bool(value === 0)
  return { kind: 'unary', op, a, type: a.type }
}

/** An elementwise op of two operands of one type; `eq lt le` give bool. Integer and bool constants are folded. */
export const binary = (op: BinaryOp, a: KExpr, b: KExpr): KExpr => {
  invariant(sameType(a.type, b.type), `${op} of ${showType(a.type)} and ${showType(b.type)}`)
  invariant(binaryDomain[op].includes(a.type.scalar), `${op} of ${showType(a.type)}`)
  const type = op === 'eq' || op === 'lt' || op === 'le' ? kType('bool', a.type.width) : a.type
  const folded =
    a.type.scalar === 'bool' ? foldBool(op, a, b) : isFloatScalar(a.type.scalar) ? undefined : foldInteger(op, a, b)
  return folded ?? { kind: 'binary', op, a, b, type }
}

const foldBool = (op: BinaryOp, a: KExpr, b: KExpr): KExpr | undefined => {
  const x = constantOf(a)
  const y = constantOf(b)
  const isAnd = op === 'and' || op === 'mul' || op === 'min'
  const isOr = op === 'or' || op === 'add' || op === 'max'
  if (!isAnd && !isOr) return undefined
  const [unit, zero] = isAnd ? [1, 0] : [0, 1]
  if (x === unit || y === zero) return b
  if (y === unit || x === zero) return a
  return undefined
}

const foldInteger = (op: BinaryOp, a: KExpr, b: KExpr): KExpr | undefined => {
  const scalar = a.type.scalar
  const x = constantOf(a)
  const y = constantOf(b)
  if (x !== undefined && y !== undefined) {
    const value = integerValue(op, x, y)
    if (value !== undefined) {
      const of = op === 'eq' || op === 'lt' || op === 'le' ? 'bool' : scalar
      return splat(lit(value, of), a.type.width)
    }
  }
  const zero = (): KExpr => splat(lit(0, scalar), a.type.width)
  switch (op) {
    case 'add':
      if (y === 0) return a
      if (x === 0) return b
      return x === undefined ? reassociate(op, a, b) : binary(op, b, a)
    case 'sub':
      return y === 0 ? a : undefined
    case 'mul':
      if (x === 0 || y === 0) return zero()
      if (y === 1) return a
      if (x === 1) return b
      return x === undefined ? reassociate(op, a, b) : binary(op, b, a)
    case 'div':
      return y === 1 ? a : undefined
    case 'rem':
      return y === 1 ? zero() : undefined
    case 'lt':
      return y === 0 && scalar === 'u32' ? splat(bool(false), a.type.width) : undefined
    case 'shiftLeft':
    case 'shiftRight':
      return y === 0 ? a : undefined
    case 'min':
      return scalar === 'u32' && (x === 0 || y === 0) ? zero() : undefined
    case 'max':
      return scalar !== 'u32' ? undefined : y === 0 ? a : x === 0 ? b : undefined
    default:
      return undefined
  }
}

/** (e + c) + d → e + (c + d), likewise for products: integer arithmetic wraps, so this is exact. */
const reassociate = (op: 'add' | 'mul', a: KExpr, b: KExpr): KExpr | undefined => {
  if (a.kind !== 'binary' || a.op !== op || constantOf(b) === undefined || constantOf(a.b) === undefined)
    return undefined
  return binary(op, a.a, binary(op, a.b, b))
}

const integerValue = (op: BinaryOp, x: number, y: number): number | undefined => {
  switch (op) {
    case 'add':
      return x + y
    case 'sub':
      return x - y
    case 'mul':
      return Math.imul(x, y)
    case 'div':
      return y === 0 ? undefined : Math.trunc(x / y)
    case 'rem':
      return y === 0 ? undefined : x % y
    case 'max':
      return Math.max(x, y)
    case 'min':
      return Math.min(x, y)
    case 'eq':
      return x === y ? 1 : 0
    case 'lt':
      return x < y ? 1 : 0
    case 'le':
      return x <= y ? 1 : 0
    default:
      return undefined
  }
}

export const add = (a: KExpr, b: KExpr): KExpr => binary('add', a, b)
export const sub = (a: KExpr, b: KExpr): KExpr => binary('sub', a, b)
export const mul = (a: KExpr, b: KExpr): KExpr => binary('mul', a, b)
export const div = (a: KExpr, b: KExpr): KExpr => binary('div', a, b)
export const rem = (a: KExpr, b: KExpr): KExpr => binary('rem', a, b)
export const max = (a: KExpr, b: KExpr): KExpr => binary('max', a, b)
export const min = (a: KExpr, b: KExpr): KExpr => binary('min', a, b)
export const eq = (a: KExpr, b: KExpr): KExpr => binary('eq', a, b)
export const lt = (a: KExpr, b: KExpr): KExpr => binary('lt', a, b)
export const le = (a: KExpr, b: KExpr): KExpr => binary('le', a, b)
export const and = (a: KExpr, b: KExpr): KExpr => binary('and', a, b)
export const or = (a: KExpr, b: KExpr): KExpr => binary('or', a, b)
export const xor = (a: KExpr, b: KExpr): KExpr => binary('xor', a, b)
export const not = (a: KExpr): KExpr => unary('not', a)
export const neg = (a: KExpr): KExpr => unary('neg', a)
export const shiftLeft = (a: KExpr, b: KExpr): KExpr => binary('shiftLeft', a, b)
export const shiftRight = (a: KExpr, b: KExpr): KExpr => binary('shiftRight', a, b)

/** a·b + c over floats, one or two roundings. */
export const fma = (a: KExpr, b: KExpr, c: KExpr): KExpr => {
  invariant(
    isFloatScalar(a.type.scalar) && sameType(a.type, b.type) && sameType(a.type, c.type),
    `fma of ${showType(a.type)}, ${showType(b.type)}, ${showType(c.type)}`,
  )
  return { kind: 'fma', a, b, c, type: a.type }
}

/** `cond ? a : b`, lane by lane. */
export const select = (cond: KExpr, a: KExpr, b: KExpr): KExpr => {
  invariant(
    cond.type.scalar === 'bool' && cond.type.width === a.type.width,
    `select by ${showType(cond.type)} of ${showType(a.type)}`,
  )
  invariant(sameType(a.type, b.type), `select of ${showType(a.type)} and ${showType(b.type)}`)
  const known = constantOf(cond)
  if (known !== undefined) return known === 0 ? b : a
  return { kind: 'select', cond, a, b, type: a.type }
}

/** Conversion by value: float to integer truncates and saturates, NaN gives 0; anything but zero is true. */
export const cast = (a: KExpr, scalar: Scalar): KExpr => {
  if (a.type.scalar === scalar) return a
  if (a.kind === 'lit') return lit(castValue(a.type.scalar, scalar, a.value), scalar)
  return { kind: 'cast', a, type: kType(scalar, a.type.width) }
}

/** The same 32 bits read as another type. */
export const bitcast = (a: KExpr, scalar: Scalar): KExpr => {
  invariant(words.includes(scalar) && words.includes(a.type.scalar), `bitcast of ${showType(a.type)} to ${scalar}`)
  if (a.type.scalar === scalar) return a
  return { kind: 'bitcast', a, type: kType(scalar, a.type.width) }
}

/** A scalar in every lane. */
export const splat = (a: KExpr, width: KType['width']): KExpr => {
  invariant(a.type.width === 1, `splat of ${showType(a.type)}`)
  return width === 1 ? a : { kind: 'splat', a, type: kType(a.type.scalar, width) }
}

/** A vector of 2 to 4 scalars of one type. */
export const vec = (items: readonly KExpr[]): KExpr => {
  const first = items[0]
  const width = widths.find((w) => w === items.length)
  invariant(first && width && width > 1, `vector of ${items.length} items`)
  invariant(
    items.every((x) => x.type.width === 1 && x.type.scalar === first.type.scalar),
    `vector of ${items.map((x) => showType(x.type)).join(', ')}`,
  )
  return { kind: 'vec', items, type: kType(first.type.scalar, width) }
}

/** One lane of a vector (lane 0 of a scalar is the scalar). */
export const lane = (a: KExpr, index: number): KExpr => {
  invariant(Number.isInteger(index) && index >= 0 && index < a.type.width, `lane ${index} of ${showType(a.type)}`)
  if (a.type.width === 1) return a
  if (a.kind === 'splat') return a.a
  if (a.kind === 'vec') return a.items[index]!
  return { kind: 'lane', a, lane: index, type: kType(a.type.scalar) }
}

const checkIndex = (index: KExpr): void =>
  invariant(index.type.scalar === 'u32' && index.type.width === 1, `index of type ${showType(index.type)}`)

/** Element `index` (u32) of a binding, or one `component` (u32) of it where elements are vectors. */
export const load = (binding: Binding, index: KExpr, component?: KExpr): KExpr => {
  checkIndex(index)
  const { scalar, width } = binding.element
  if (!component) return { kind: 'load', binding: binding.name, index, type: kType(scalar, width) }
  checkIndex(component)
  invariant(width > 1, `a component of ${binding.name}, whose elements are scalars`)
  return { kind: 'load', binding: binding.name, index, component, type: kType(scalar) }
}

/** Element `index` (u32) of a private or workgroup array. */
export const read = (array: LocalArray, index: KExpr): KExpr => {
  checkIndex(index)
  return { kind: 'read', array: array.name, index, type: kType(array.element.scalar, array.element.width) }
}

/** Word 0 or 1 of Threefry-2x32 over (key0, key1, count0, count1). */
export const threefry = (word: 0 | 1, args: readonly [KExpr, KExpr, KExpr, KExpr]): KExpr => {
  const type = args[0].type
  invariant(
    args.every((x) => x.type.scalar === 'u32' && sameType(x.type, type)),
    `threefry of ${args.map((x) => showType(x.type)).join(', ')}`,
  )
  return { kind: 'threefry', word, args, type }
}

/** `let name = value`. */
export const letStmt = (name: string, value: KExpr): KStmt => ({ kind: 'let', name, value })

/** A mutable variable; without `init` it is zero. */
export const varStmt = (name: string, type: KType, init?: KExpr): KStmt => {
  invariant(!init || sameType(init.type, type), `var ${name}: ${showType(type)} = ${init ? showType(init.type) : ''}`)
  return init ? { kind: 'var', name, type, init } : { kind: 'var', name, type }
}

export const assign = (name: string, value: KExpr): KStmt => ({ kind: 'assign', name, value })

/** Writes element `index` (u32) of a read_write storage buffer. */
export const store = (binding: Binding, index: KExpr, value: KExpr): KStmt => {
  checkIndex(index)
  invariant(
    sameType(binding.element, value.type),
    `store of ${showType(value.type)} to ${binding.name}: ${showType(binding.element)}`,
  )
  invariant(binding.access === 'read_write', `store to ${binding.name}, which is read-only`)
  return { kind: 'store', binding: binding.name, index, value }
}

/** Writes element `index` (u32) of a private or workgroup array. */
export const write = (array: LocalArray, index: KExpr, value: KExpr): KStmt => {
  checkIndex(index)
  invariant(
    sameType(array.element, value.type),
    `write of ${showType(value.type)} to ${array.name}: ${showType(array.element)}`,
  )
  return { kind: 'write', array: array.name, index, value }
}

/** A loop of the u32 counter `name` over [from, to) by `step`. */
export const forStmt = (name: string, from: KExpr, to: KExpr, step: number, body: readonly KStmt[]): KStmt => {
  checkIndex(from)
  checkIndex(to)
  invariant(Number.isInteger(step) && step > 0, `for ${name} by ${step}`)
  return { kind: 'for', name, from, to, step, body }
}

export const ifStmt = (cond: KExpr, then: readonly KStmt[], otherwise: readonly KStmt[] = []): KStmt => {
  invariant(cond.type.scalar === 'bool' && cond.type.width === 1, `if of ${showType(cond.type)}`)
  return { kind: 'if', cond, then, else: otherwise }
}

export const barrier: KStmt = { kind: 'barrier' }
