/**
 * When two stages pay for a reduction or contraction, and where it is cut: on a level of its order of summation, so that it
 * gives the same bits as in one stage.
 */

import { typeOf } from '../../src/lang/build.ts'
import { ceilDiv, ceilSqrt, dimMul, floorDiv, productOf } from '../../src/lang/dim.ts'
import { kernelDType } from '../../src/lang/dtype.ts'
import type { Build, Node } from '../../src/lang/ir.ts'

/** Up to this many elements, one invocation reduces them all. */
const enough = 4096
/**
 * From this many results on there is enough parallelism, and the additional dispatch (cnn_train's bias gradients) does
 * not pay.
 */
const manyResults = 8

/** Whether there are many elements per result and few results. */
export const isLong = (count: number, results: number): boolean =>
  count > enough && results > 0 && results < manyResults

/** One axis of a reduction, outermost first: its size and the run of neighbours that its order begins with. */
export interface ReducedAxis {
  readonly size: number
  readonly run: number
  /** Whether runs go on over several axes, as those of contractions do: then nothing can be cut within them. */
  readonly isOneRun?: boolean
}

/** The axes before `axis` are left to the second stage, and so are the blocks of `axis`, `outer` of `block` elements. */
export interface Cut {
  readonly axis: number
  readonly outer: number
  readonly block: number
}

/**
 * Where to cut for about √n partial results: whole axes are reduced first, innermost first, and blocks of the next, which
 * are runs, or four, 16, 64 … runs.
 */
export const cutOf = (axes: readonly ReducedAxis[]): Cut => {
  const most = ceilSqrt(productOf(axes, (a) => a.size))
  let axis = axes.length - 1
  let inside = 1
  const isWithin = ({ size, run, isOneRun }: ReducedAxis): boolean => isOneRun === true && size <= run
  while (isWithin(axes[axis]!) || dimMul(inside, axes[axis]!.size) <= most) inside = dimMul(inside, axes[axis--]!.size)
  const { size, run, isOneRun } = axes[axis]!
  const wanted = floorDiv(most, inside)
  if (wanted < run && !isOneRun) return { axis, outer: size, block: 1 }
  let block = run
  while (2 * block <= wanted) block *= 4
  return { axis, outer: ceilDiv(size, block), block }
}

/** `x` with `axis` in `outer` blocks of `block` elements, what is missing at the end filled with `value`. */
export const inBlocks = (b: Build, x: Node, axis: number, { outer, block }: Cut, value: number): Node => {
  const { shape } = typeOf(x)
  const none = shape.map(() => 0)
  const extra = outer * block - shape[axis]!
  const whole = extra === 0 ? x : b.pad([x], { low: none, high: none.with(axis, extra), interior: none, value })
  return b.reshape([whole], { shape: [...shape.slice(0, axis), outer, block, ...shape.slice(axis + 1)] })
}

/** Computes `f` in the dtype of kernels, in f32 for f16: partial results would lose precision or overflow. */
export const inWide = (b: Build, xs: readonly Node[], f: (xs: readonly Node[]) => Node): Node => {
  const { dtype } = typeOf(xs[0]!)
  const wide = dtype === 'f16' ? 'f32' : kernelDType(dtype)
  if (wide === dtype) return f(xs)
  return b.cast([f(xs.map((x) => b.cast([x], { dtype: wide })))], { dtype })
}
