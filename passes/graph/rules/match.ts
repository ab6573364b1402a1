/** Matchers and helpers of the rewrite rules: uniform constants, fills, axes. */
import { typeOf } from '../../../src/lang/build.ts'
import { isFloat, isInteger } from '../../../src/lang/dtype.ts'
import { type Build, binaryOps, type Node, type PointwiseOp, unaryOps } from '../../../src/lang/ir.ts'
import { fill, uniformValue } from '../../../src/lang/ops/rule-parts.ts'

/** All elementwise operations. */
export const pointwiseOps: readonly PointwiseOp[] = [...unaryOps, ...binaryOps, 'select', 'cast', 'bitcast']

/** The common value of all elements of `n`, if `n` is a constant with equal elements or a view of one. */
export const splat = (n: Node): number | undefined => uniformValue(n)

/** True when every element of `n` is `value`; 0 and -0 differ. */
export const isSplat = (n: Node, value: number): boolean => Object.is(splat(n), value)

/** Whether `n` is a constant or a broadcast constant: known at compile time. */
export const isConstant = (n: Node): boolean => n.op === 'const' || n.op === 'data' || splat(n) !== undefined

/** A tensor of `n`'s type filled with `value`. */
export const fillLike = (b: Build, n: Node, value: number): Node => fill(b, typeOf(n), value)

export const hasFloats = (n: Node): boolean => isFloat(typeOf(n).dtype)
export const hasIntegers = (n: Node): boolean => isInteger(typeOf(n).dtype)
export const hasBools = (n: Node): boolean => typeOf(n).dtype === 'bool'

/** Whether `axes` is 0, 1, 2 … */
export const isIdentityPermutation = (axes: readonly number[]): boolean => axes.every((a, i) => a === i)

/** `n` reshaped; `n` itself when it has the shape already. */
export const reshapeTo = (b: Build, n: Node, shape: readonly number[]): Node => {
  const own = typeOf(n).shape
  return own.length === shape.length && own.every((d, i) => d === shape[i]) ? n : b.reshape([n], { shape })
}
