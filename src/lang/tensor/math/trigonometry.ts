/** Angles and hyperbolas, element by element. Always floating point: integers and bool become f32. */
import type { FloatElementary } from '../../types/broadcast.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'
import { float, formula, un } from './unary-functions.ts'

/**
 * The sine of radians. Same shape, floating point (integers and bool become f32); NaN for infinities.
 * @example
 * T.reference(T.sin(T.tensor([0, 1]))).data // => [0, 0.841471]
 */
export const sin: FloatElementary = float('T.sin', 'sin')

/**
 * The cosine of radians. Same shape, floating point (integers and bool become f32); NaN for infinities.
 * @example
 * T.reference(T.cos(T.tensor([0, 1]))).data // => [1, 0.540302]
 */
export const cos: FloatElementary = float('T.cos', 'cos')

/**
 * The tangent of radians. Same shape, floating point (integers and bool become f32); NaN for infinities.
 * @example
 * T.reference(T.tan(T.tensor([0, 1]))).data // => [0, 1.557408]
 */
export const tan: FloatElementary = float('T.tan', 'tan')

/**
 * The angle in [-π/2, π/2], in radians, whose sine is x. Same shape, floating point (integers and bool become f32); NaN
 * where |x| > 1.
 * @example
 * T.reference(T.asin(T.tensor([1, 0.5, 2]))).data // => [1.570796, 0.523599, NaN]
 */
export const asin: FloatElementary = float('T.asin', 'asin')

/**
 * The angle in [0, π], in radians, whose cosine is x. Same shape, floating point (integers and bool become f32); NaN
 * where |x| > 1.
 * @example
 * T.reference(T.acos(T.tensor([1, 0.5, -1]))).data // => [0, 1.047198, 3.141593]
 */
export const acos: FloatElementary = float('T.acos', 'acos')

/**
 * The angle in [-π/2, π/2], in radians, whose tangent is x. Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.atan(T.tensor([1, -Infinity]))).data // => [0.785398, -1.570796]
 */
export const atan: FloatElementary = float('T.atan', 'atan')

/**
 * The hyperbolic sine `(eˣ - e⁻ˣ)/2`. Same shape, floating point (integers and bool become f32); ±Infinity where it
 * overflows.
 * @example
 * T.reference(T.sinh(T.tensor([0, 1]))).data // => [0, 1.175201]
 */
export const sinh: FloatElementary = float('T.sinh', 'sinh')

/**
 * The hyperbolic cosine `(eˣ + e⁻ˣ)/2`. Same shape, floating point (integers and bool become f32); Infinity where it
 * overflows.
 * @example
 * T.reference(T.cosh(T.tensor([0, 1]))).data // => [1, 1.543081]
 */
export const cosh: FloatElementary = float('T.cosh', 'cosh')

/**
 * The hyperbolic tangent, in [-1, 1]. Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.tanh(T.tensor([0, 1, 100]))).data // => [0, 0.761594, 1]
 */
export const tanh: FloatElementary = float('T.tanh', 'tanh')

/**
 * The inverse of sinh. Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.asinh(T.tensor([0, 1]))).data // => [0, 0.881374]
 */
export const asinh: FloatElementary = float('T.asinh', 'asinh')

/**
 * The inverse of cosh, ≥ 0. Same shape, floating point (integers and bool become f32); NaN below 1.
 * @example
 * T.reference(T.acosh(T.tensor([1, 2, 0]))).data // => [0, 1.316958, NaN]
 */
export const acosh: FloatElementary = float('T.acosh', 'acosh')

/**
 * The inverse of tanh. Same shape, floating point (integers and bool become f32); ±Infinity at ±1, NaN beyond.
 * @example
 * T.reference(T.atanh(T.tensor([0.5, 1, 2]))).data // => [0.549306, Infinity, NaN]
 */
export const atanh: FloatElementary = float('T.atanh', 'atanh')

/**
 * Degrees to radians: `x · π/180`. Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.deg2rad(T.tensor([180, 90]))).data // => [3.141593, 1.570796]
 */
export const deg2rad: FloatElementary = formula('T.deg2rad', (x, t) => binaryNode('mul', x, likeNode(Math.PI / 180, t)))

/**
 * Radians to degrees: `x · 180/π`. Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.rad2deg(T.tensor([0.5, 1]))).data // => [28.647890, 57.295780]
 */
export const rad2deg: FloatElementary = formula('T.rad2deg', (x, t) => binaryNode('mul', x, likeNode(180 / Math.PI, t)))

/** Coefficients of sin(√u)/√u in powers of u, as many as Float64 tells from 0 for u up to (π/2)². */
const sincSeries: readonly number[] = Array.from({ length: 11 }, (_, k) => {
  let c = 1
  for (let i = 2; i <= 2 * k + 1; i++) c /= i
  return k % 2 === 0 ? c : -c
})

/**
 * The normalised sinc `sin(πx)/(πx)` (as NumPy and PyTorch), 1 at 0 with derivative 0 there: a series up to |x| = 1/2, as
 * the quotient's derivatives cancel near 0; of numbers so great that πx would overflow about 0, with a slope of about 0.
 * Same shape, floating point (integers and bool become f32).
 * @example
 * T.reference(T.sinc(T.tensor([0, 0.5, 1.5]))).data // => [1, 0.636620, -0.212207]
 */
export const sinc: FloatElementary = formula('T.sinc', (x, t) => {
  // A number this great is an even integer, as is its quarter, and 1/x is lost beside 1: any other such number will do.
  const isFar = binaryNode('lt', likeNode(t.dtype === 'f16' ? 2 ** 14 : 2 ** 126, t), un('abs', x))
  const near = selectNode(isFar, binaryNode('mul', x, likeNode(0.25, t)), x)
  const isNear = binaryNode('le', un('abs', x), likeNode(0.5, t))
  const p = binaryNode('mul', selectNode(isNear, likeNode(1, t), near), likeNode(Math.PI, t))
  const q = binaryNode('mul', selectNode(isNear, x, likeNode(0, t)), likeNode(Math.PI, t))
  const u = binaryNode('mul', q, q)
  const series = sincSeries.reduceRight(
    (sum, c) => binaryNode('add', binaryNode('mul', sum, u), likeNode(c, t)),
    likeNode(0, t),
  )
  return selectNode(isNear, series, binaryNode('div', un('sin', p), p))
})
