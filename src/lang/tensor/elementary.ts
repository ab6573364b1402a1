/** Functions of one operand, element by element. */
import { typeOf } from '../build.ts'
import type { Shape } from '../dim.ts'
import { type DType, isFloat } from '../dtype.ts'
import type { Node, TensorType } from '../ir.ts'
import type { Elementary, FloatElementary, FloatOf } from '../types/broadcast.ts'
import type { Tensor } from '../types.ts'
import { binaryNode, floatNode, likeNode, selectNode } from './arithmetic.ts'
import { dataFirst, single } from './dual.ts'
import { onTensor } from './operand.ts'
import { float, formula, keep, rounding, un } from './unary.ts'

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
