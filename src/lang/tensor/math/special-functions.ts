/** The inverse of erf, and the logarithm of Γ with all its derivatives. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import { polygamma as polygammaNode } from '../../ops/polygamma.ts'
import type { FloatElementary, FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import { dataFirst } from '../dual.ts'
import { castNode, isIll, onTensor, refuse } from '../operand.ts'
import { floatNode } from './arithmetic.ts'
import { float, un } from './unary-functions.ts'

/**
 * The inverse of `erf`. Same shape, floating point (integers and bool become f32); ±Infinity at ±1, NaN beyond.
 * @example
 * T.reference(T.erfinv(T.tensor([0, 0.5, 1]))).data // => [0, 0.476936, Infinity]
 */
export const erfinv: FloatElementary = float('T.erfinv', 'erfinv')

/**
 * `log |Γ(x)|`. Same shape, floating point (integers and bool become f32); Infinity at 0, at negative whole numbers and
 * at both infinities. The derivative is `digamma`.
 * @example
 * T.reference(T.lgamma(T.tensor([0.5, 1, 4, -1]))).data // => [0.572365, 0, 1.791759, Infinity]
 */
export const lgamma: FloatElementary = float('T.lgamma', 'lgamma')

/**
 * `Γ'(x) / Γ(x)`, the derivative of `lgamma`. Same shape, floating point (integers and bool become f32); -Infinity at 0
 * (Infinity at -0), NaN at negative whole numbers, as in PyTorch.
 * @example
 * T.reference(T.digamma(T.tensor([0.5, 1, 4, -1]))).data // => [-1.963510, -0.577216, 1.256118, NaN]
 */
export const digamma: FloatElementary = float('T.digamma', 'digamma')

/** Beyond it n! is no number of Float64. */
const mostDerivatives = 170

type Polygamma = {
  (n: number): FloatElementary
  <S extends Shape, D extends DType>(x: Tensor<S, D>, n: number): Tensor<S, FloatOf<D>>
}

/**
 * The n-th derivative of `digamma`, which is the one for n = 0: `(-1)ⁿ⁺¹ n! Σ (x + k)⁻⁽ⁿ⁺¹⁾` over k ≥ 0. Same shape,
 * floating point (integers and bool become f32); infinite at 0 and, for n ≥ 1, at negative whole numbers. Below 0 by the
 * reflection with the derivatives of `π cot πx`. ShapeError unless n is a whole number from 0 to 170.
 * @example
 * T.reference(T.polygamma(T.tensor([0.5, 3, -0.6]), 1)).data // => [4.934802, 0.394934, 10.053134]
 */
export const polygamma: Polygamma = dataFirst('T.polygamma', 2, (x: Tensor, n: number) =>
  onTensor('T.polygamma', x, (given, { dtype }) => {
    if (!Number.isInteger(n) || n < 0 || n > mostDerivatives)
      return refuse('T.polygamma', [given], {
        reason: `n = ${n} is not a whole number of derivatives from 0 to ${mostDerivatives}`,
        hint: 'give n = 0 for digamma, n = 1 for its derivative',
      })
    const ready = floatNode(given, dtype)
    if (isIll(ready)) return ready
    if (n === 0) return un('digamma', ready)
    // Sums of powers of reciprocals leave the range of f16.
    return dtype === 'f16'
      ? castNode(polygammaNode(build, castNode(ready, 'f32'), n), 'f16')
      : polygammaNode(build, ready, n)
  }),
)
