/** Functions of one operand, element by element. */
import { typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isFloat, isUnsigned } from '../../dtype.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Elementary, FloatElementary, FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith, single } from '../dual.ts'
import { onTensor } from '../operand.ts'
import { binaryNode, floatNode, likeNode, selectNode } from './arithmetic.ts'
import { float, formula, keep, rounding, un } from './unary-functions.ts'

/**
 * `-x`. Same shape and dtype; integers wrap modulo 2³². ShapeError for bool.
 * @example
 * T.reference(T.neg(T.tensor([1, -2]))).data // => [-1, 2]
 */
export const neg: Elementary = keep('T.neg', 'neg')

/**
 * `|x|`. Same shape and dtype; u32, u8 and bool are returned as they are. NaN stays NaN. The derivative at 0 is 0, as in
 * PyTorch.
 * @example
 * T.reference(T.abs(T.tensor([-2, 3]))).data // => [2, 3]
 */
export const abs: Elementary = single('T.abs', (n, { dtype }) => (isUnsigned(dtype) ? n : un('abs', n)))

/**
 * -1, 0 or 1 by the sign of x, NaN for NaN. Same shape and dtype; ShapeError for bool. The derivative is 0.
 * @example
 * T.reference(T.sign(T.tensor([-2.5, 0, 4]))).data // => [-1, 0, 1]
 */
export const sign: Elementary = keep('T.sign', 'sign')

/**
 * The largest whole number ≤ x. Same shape and dtype: integers and bool are returned as they are. The derivative is 0.
 * @example
 * T.reference(T.floor(T.tensor([1.7, -1.2]))).data // => [1, -2]
 */
export const floor: Elementary = rounding('T.floor', 'floor')

/**
 * The least whole number ≥ x. Same shape and dtype: integers and bool are returned as they are. The derivative is 0.
 * @example
 * T.reference(T.ceil(T.tensor([1.2, -1.7]))).data // => [2, -1]
 */
export const ceil: Elementary = rounding('T.ceil', 'ceil')

/**
 * x without its fraction, rounded towards zero. Same shape and dtype: integers and bool are returned as they are. The
 * derivative is 0.
 * @example
 * T.reference(T.trunc(T.tensor([1.7, -1.7]))).data // => [1, -1]
 */
export const trunc: Elementary = rounding('T.trunc', 'trunc')

/**
 * The nearest whole number, halves to the even one (IEEE 754, as NumPy and PyTorch). Same shape and dtype: integers and
 * bool are returned as they are. The derivative is 0.
 * @example
 * T.reference(T.round(T.tensor([0.5, 1.5, -2.6]))).data // => [0, 2, -3]
 */
export const round: Elementary = rounding('T.round', 'round')

/**
 * `√x`. Same shape, floating point (integers and bool become f32); NaN below 0. The derivative at 0 is infinite.
 * @example
 * T.reference(T.sqrt(T.tensor([4, 2, -1]))).data // => [2, 1.414214, NaN]
 */
export const sqrt: FloatElementary = float('T.sqrt', 'sqrt')

/**
 * `1/√x`. Same shape, floating point (integers and bool become f32); Infinity at 0, NaN below.
 * @example
 * T.reference(T.rsqrt(T.tensor([4, 0.25, 0]))).data // => [0.5, 2, Infinity]
 */
export const rsqrt: FloatElementary = float('T.rsqrt', 'rsqrt')

/**
 * `eˣ`. Same shape, floating point (integers and bool become f32); Infinity where it overflows (f32: x > 88.72), 0 for
 * -Infinity.
 * @example
 * T.reference(T.exp(T.tensor([0, 1]))).data // => [1, 2.718282]
 */
export const exp: FloatElementary = float('T.exp', 'exp')

/**
 * `2ˣ`. Same shape, floating point (integers and bool become f32); Infinity where it overflows.
 * @example
 * T.reference(T.exp2(T.tensor([3, -1]))).data // => [8, 0.5]
 */
export const exp2: FloatElementary = float('T.exp2', 'exp2')

/**
 * `eˣ - 1`, accurate near 0 where the subtraction would cancel. Same shape, floating point (integers and bool become
 * f32).
 * @example
 * T.reference(T.expm1(T.tensor([1e-8, 1]))).data // => [1e-8, 1.718282]
 */
export const expm1: FloatElementary = float('T.expm1', 'expm1')

/**
 * The natural logarithm. Same shape, floating point (integers and bool become f32); -Infinity at 0, NaN below.
 * @example
 * T.reference(T.log(T.tensor([1, 10, 0]))).data // => [0, 2.302585, -Infinity]
 */
export const log: FloatElementary = float('T.log', 'log')

/**
 * The logarithm to base 2. Same shape, floating point (integers and bool become f32); -Infinity at 0, NaN below.
 * @example
 * T.reference(T.log2(T.tensor([8, 0.5]))).data // => [3, -1]
 */
export const log2: FloatElementary = float('T.log2', 'log2')

/**
 * The logarithm to base 10. Same shape, floating point (integers and bool become f32); -Infinity at 0, NaN below.
 * @example
 * T.reference(T.log10(T.tensor([1000, 0.1]))).data // => [3, -1]
 */
export const log10: FloatElementary = float('T.log10', 'log10')

/**
 * `log(1 + x)`, accurate near 0 where the sum would lose x. Same shape, floating point (integers and bool become f32);
 * -Infinity at -1, NaN below.
 * @example
 * T.reference(T.log1p(T.tensor([1e-8, 1, -1]))).data // => [1e-8, 0.693147, -Infinity]
 */
export const log1p: FloatElementary = float('T.log1p', 'log1p')

/**
 * The error function `2/√π · ∫₀ˣ e^(-t²) dt`, in [-1, 1]. Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.erf(T.tensor([0, 0.5, 2]))).data // => [0, 0.5205, 0.995322]
 */
export const erf: FloatElementary = float('T.erf', 'erf')

/**
 * `1 - erf(x)`, with all its digits where x is large and the subtraction would leave none. Same shape, floating point
 * (integers and bool become f32).
 * @example
 * T.reference(T.erfc(T.tensor([0, 2, 4]))).data // => [1, 0.004677735, 1.541726e-8]
 */
export const erfc: FloatElementary = float('T.erfc', 'erfc')

/**
 * `1 / (1 + e⁻ˣ)`, without overflow for any x. Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.sigmoid(T.tensor([0, 2, -50]))).data // => [0.5, 0.880797, 1.928750e-22]
 */
export const sigmoid: FloatElementary = float('T.sigmoid', 'sigmoid')

/**
 * `x²` as one product. Same shape and dtype; integers wrap modulo 2³², bool is returned as it is.
 * @example
 * T.reference(T.square(T.tensor([3, -4]))).data // => [9, 16]
 */
export const square: Elementary = single('T.square', (n, { dtype }) => (dtype === 'bool' ? n : binaryNode('mul', n, n)))

/**
 * `1/x`. Same shape, floating point (integers and bool become f32); ±Infinity at ±0.
 * @example
 * T.reference(T.reciprocal(T.tensor([4, -0.5, 0]))).data // => [0.25, -2, Infinity]
 */
export const reciprocal: FloatElementary = formula('T.reciprocal', (x, type) => binaryNode('div', likeNode(1, type), x))

/**
 * What follows the point, with the sign of x: `x - trunc(x)`. Same shape and dtype; 0 for integers and bool, NaN for
 * infinities (as PyTorch).
 * @example
 * T.reference(T.frac(T.tensor([2.25, -1.5]))).data // => [0.25, -0.5]
 */
export const frac: Elementary = single('T.frac', (n, type) =>
  isFloat(type.dtype) ? binaryNode('sub', n, un('trunc', n)) : likeNode(0, type),
)

/**
 * `max(x, 0)`. Same shape and dtype; u32, u8 and bool are returned as they are. NaN passes; the derivative at 0 is 0, as in
 * PyTorch.
 * @example
 * T.reference(T.relu(T.tensor([-1.5, 0, 2]))).data // => [0, 0, 2]
 */
export const relu: Elementary = single('T.relu', (n, type) => {
  if (isUnsigned(type.dtype)) return n
  const zero = likeNode(0, type)
  return selectNode(binaryNode('le', n, zero), zero, n)
})

/** Options of `logit`. */
export interface LogitOptions {
  /** Clamps the operand to [eps, 1 - eps] first. */
  readonly eps?: number | undefined
}

const logitOptions: OptionNames<LogitOptions> = { eps: 'fraction' }

type Logit = {
  (options?: LogitOptions): FloatElementary
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: LogitOptions): Tensor<S, FloatOf<D>>
}

/**
 * `log(x / (1 - x))`, the inverse of sigmoid. Same shape, floating point (integers and bool become f32); -Infinity at
 * 0, Infinity at 1, NaN outside unless `eps` clamps x first.
 * @example
 * T.reference(T.logit(T.tensor([0.5, 0.9, 1]))).data // => [0, 2.197225, Infinity]
 * T.reference(T.logit(T.tensor([0, 2]), { eps: 0.1 })).data // => [-2.197225, 2.197225]
 */
export const logit: Logit = dataFirstWith('T.logit', 1, logitOptions, (x: Tensor, { eps }: LogitOptions = {}) =>
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
