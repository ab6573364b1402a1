/** Functions of one operand, element by element. */
import { build, typeOf } from '../build.ts'
import type { Shape } from '../dim.ts'
import { type DType, isFloat, isInteger } from '../dtype.ts'
import type { Node, TensorType, UnaryOp } from '../ir.ts'
import type { Elementary, FloatElementary, FloatOf, Predicate } from '../types/broadcast.ts'
import type { Tensor } from '../types.ts'
import { binaryNode, floatNode, likeNode, selectNode } from './arithmetic.ts'
import { dataFirst, single } from './dual.ts'
import { castNode, expandNode, isIll, onTensor, refuse, scalar } from './operand.ts'

const un = (op: UnaryOp, x: Node): Node => build[op]([x], {})

/** Keeps the dtype; bool is refused. */
const keep = <F>(name: string, op: UnaryOp): F =>
  single(name, (n, { dtype }) =>
    dtype === 'bool'
      ? refuse(name, [n], { reason: 'is not defined on bool', hint: "cast first: T.cast(x, 'i32')" })
      : un(op, n),
  )

/** Whole numbers are what they are; floats are rounded by `op`. */
const rounding = <F>(name: string, op: UnaryOp): F => single(name, (n, { dtype }) => (isFloat(dtype) ? un(op, n) : n))

/** Computed in floating point: integers and bool become f32. */
const float = <F>(name: string, op: UnaryOp): F => single(name, (n, { dtype }) => un(op, floatNode(n, dtype)))

/** Computed in floating point by a formula. */
const formula = <F>(name: string, f: (x: Node, type: TensorType) => Node): F =>
  single(name, (n, { dtype }) => {
    const ready = floatNode(n, dtype)
    return isIll(ready) ? ready : f(ready, typeOf(ready))
  })

/** `-x`. */
export const neg: Elementary = keep('T.neg', 'neg')
/** `|x|`, with derivative 0 at 0. */
export const abs: Elementary = single('T.abs', (n, { dtype }) =>
  dtype === 'u32' || dtype === 'bool' ? n : un('abs', n),
)
/** -1, 0 or 1. */
export const sign: Elementary = keep('T.sign', 'sign')
/** Rounds down. */
export const floor: Elementary = rounding('T.floor', 'floor')
/** Rounds up. */
export const ceil: Elementary = rounding('T.ceil', 'ceil')
/** Rounds towards zero. */
export const trunc: Elementary = rounding('T.trunc', 'trunc')
/** Rounds to the nearest whole number, halves to even. */
export const round: Elementary = rounding('T.round', 'round')
/** `√x`. */
export const sqrt: FloatElementary = float('T.sqrt', 'sqrt')
/** `1/√x`. */
export const rsqrt: FloatElementary = float('T.rsqrt', 'rsqrt')
/** `eˣ`. */
export const exp: FloatElementary = float('T.exp', 'exp')
/** `2ˣ`. */
export const exp2: FloatElementary = float('T.exp2', 'exp2')
/** `eˣ - 1`, accurate near 0. */
export const expm1: FloatElementary = float('T.expm1', 'expm1')
/** The natural logarithm. */
export const log: FloatElementary = float('T.log', 'log')
/** The logarithm to base 2. */
export const log2: FloatElementary = float('T.log2', 'log2')
/** The logarithm to base 10. */
export const log10: FloatElementary = float('T.log10', 'log10')
/** `log(1 + x)`, accurate near 0. */
export const log1p: FloatElementary = float('T.log1p', 'log1p')
/** The sine of radians. */
export const sin: FloatElementary = float('T.sin', 'sin')
/** The cosine of radians. */
export const cos: FloatElementary = float('T.cos', 'cos')
/** The tangent of radians. */
export const tan: FloatElementary = float('T.tan', 'tan')
/** The inverse sine, in [-π/2, π/2]. */
export const asin: FloatElementary = float('T.asin', 'asin')
/** The inverse cosine, in [0, π]. */
export const acos: FloatElementary = float('T.acos', 'acos')
/** The inverse tangent, in (-π/2, π/2). */
export const atan: FloatElementary = float('T.atan', 'atan')
/** The hyperbolic sine. */
export const sinh: FloatElementary = float('T.sinh', 'sinh')
/** The hyperbolic cosine. */
export const cosh: FloatElementary = float('T.cosh', 'cosh')
/** The hyperbolic tangent. */
export const tanh: FloatElementary = float('T.tanh', 'tanh')
/** The inverse hyperbolic sine. */
export const asinh: FloatElementary = float('T.asinh', 'asinh')
/** The inverse hyperbolic cosine. */
export const acosh: FloatElementary = float('T.acosh', 'acosh')
/** The inverse hyperbolic tangent. */
export const atanh: FloatElementary = float('T.atanh', 'atanh')
/** The error function. */
export const erf: FloatElementary = float('T.erf', 'erf')
/** `1 - erf(x)`, accurate for large x. */
export const erfc: FloatElementary = float('T.erfc', 'erfc')
/** `1 / (1 + e⁻ˣ)`. */
export const sigmoid: FloatElementary = float('T.sigmoid', 'sigmoid')

/** `x²`. */
export const square: Elementary = single('T.square', (n, { dtype }) => (dtype === 'bool' ? n : binaryNode('mul', n, n)))

/** `1/x`. */
export const reciprocal: FloatElementary = formula('T.reciprocal', (x, type) => binaryNode('div', likeNode(1, type), x))

/** The part after the point: `x - trunc(x)`. */
export const frac: Elementary = single('T.frac', (n, type) =>
  isFloat(type.dtype) ? binaryNode('sub', n, un('trunc', n)) : likeNode(0, type),
)

/** Degrees to radians. */
export const deg2rad: FloatElementary = formula('T.deg2rad', (x, t) => binaryNode('mul', x, likeNode(Math.PI / 180, t)))

/** Radians to degrees. */
export const rad2deg: FloatElementary = formula('T.rad2deg', (x, t) => binaryNode('mul', x, likeNode(180 / Math.PI, t)))

/** `sin(πx)/(πx)`, 1 at 0 (with derivative 0 there). */
export const sinc: FloatElementary = formula('T.sinc', (x, t) => {
  const one = likeNode(1, t)
  const atZero = binaryNode('eq', x, likeNode(0, t))
  const p = binaryNode('mul', selectNode(atZero, one, x), likeNode(Math.PI, t))
  return selectNode(atZero, one, binaryNode('div', un('sin', p), p))
})

/** `max(x, 0)`; NaN passes, the derivative at 0 is 0. */
export const relu: Elementary = single('T.relu', (n, type) => {
  if (type.dtype === 'bool' || type.dtype === 'u32') return n
  const zero = likeNode(0, type)
  return selectNode(binaryNode('le', n, zero), zero, n)
})

/** Options of `logit`. */
export interface LogitOptions {
  /** Clamps the operand to [eps, 1 - eps] first. */
  readonly eps?: number
}

interface Logit {
  (options?: LogitOptions): FloatElementary
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: LogitOptions): Tensor<S, FloatOf<D>>
}

/** `log(x / (1 - x))`, the inverse of sigmoid. */
export const logit: Logit = dataFirst('T.logit', (x: Tensor, { eps }: LogitOptions = {}) =>
  onTensor('T.logit', x, (given, { dtype }) => {
    const n = floatNode(given, dtype)
    const t = typeOf(n)
    const clamped = eps === undefined ? n : clampNode(n, t, eps, 1 - eps)
    return binaryNode('sub', un('log', clamped), un('log1p', un('neg', clamped)))
  }),
)

/** `n` held between two numbers; NaN passes, and the gradient passes at the bounds. */
export const clampNode = (n: Node, type: TensorType, low: number | undefined, high: number | undefined): Node => {
  const raised = low === undefined ? n : selectNode(binaryNode('lt', n, likeNode(low, type)), likeNode(low, type), n)
  return high === undefined
    ? raised
    : selectNode(binaryNode('lt', likeNode(high, type), raised), likeNode(high, type), raised)
}

/** Whether an element is NaN; false for integers. */
export const isnan: Predicate = single('T.isnan', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('isNan', n) : no(shape),
)

/** Whether an element is ±Infinity; false for integers. */
export const isinf: Predicate = single('T.isinf', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('isInf', n) : no(shape),
)

/** Whether an element is neither NaN nor ±Infinity. */
export const isfinite: Predicate = single('T.isfinite', (n, { shape, dtype }) =>
  isFloat(dtype) ? un('not', binaryNode('or', un('isNan', n), un('isInf', n))) : un('not', no(shape)),
)

const no = (shape: readonly number[]): Node => expandNode(scalar(false, 'bool'), shape)

/** Whether the sign bit is set: true for -0 and negative NaN too. */
export const signbitNode = (n: Node, { shape, dtype }: TensorType): Node => {
  if (dtype === 'u32' || dtype === 'bool') return no(shape)
  const bits = dtype === 'i32' ? n : build.bitcast([castNode(n, 'f32')], { dtype: 'i32' })
  return binaryNode('lt', bits, likeNode(0, { shape, dtype: 'i32' }))
}

/** Whether the sign bit is set: true for -0 too. */
export const signbit: Predicate = single('T.signbit', signbitNode)

/** The logical negation; numbers count as true when nonzero. */
export const logicalNot: Predicate = single('T.logicalNot', (n) => un('not', castNode(n, 'bool')))

/** Every bit inverted; on bool the logical negation. Floats are refused. */
export const bitwiseNot: Elementary = single('T.bitwiseNot', (n, { dtype }) =>
  isInteger(dtype) || dtype === 'bool'
    ? un('not', n)
    : refuse('T.bitwiseNot', [n], {
        reason: `is not defined on ${dtype}`,
        hint: 'cast or bitcast to an integer first',
      }),
)
