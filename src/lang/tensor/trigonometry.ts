/** Angles and hyperbolas, element by element. Always floating point: integers and bool become f32. */
import type { FloatElementary } from '../types/broadcast.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'
import { float, formula, un } from './unary.ts'

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
