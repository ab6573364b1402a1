/**
 * All arithmetic on sizes. A Dim is a number today; named, bounded symbolic dims can be added by changing this module,
 * the index arithmetic and the emission of sizes, and nothing else.
 */

/** The size of one axis. */
export type Dim = number

/** Sizes of all axes, outermost first. */
export type Shape = readonly Dim[]

export const isDim = (d: unknown): d is Dim => typeof d === 'number' && Number.isInteger(d) && d >= 0
export const dimEquals = (a: Dim, b: Dim): boolean => a === b
export const dimMul = (a: Dim, b: Dim): Dim => a * b

/** Whole parts of size `by` in `n`; rounds down, negative numbers too. */
export const floorDiv = (n: Dim, by: Dim): Dim => Math.floor(n / by)

/** How many parts of size `by` cover `n`, the last one perhaps not full. */
export const ceilDiv = (n: Dim, by: Dim): Dim => Math.ceil(n / by)

/** `n` rounded down to a multiple of `unit`. */
export const alignDown = (n: Dim, unit: Dim): Dim => floorDiv(n, unit) * unit

/** `n` rounded up to a multiple of `unit`. */
export const alignUp = (n: Dim, unit: Dim): Dim => ceilDiv(n, unit) * unit

/** How many doublings of 1 reach `n`. */
export const ceilLog2 = (n: Dim): number => Math.ceil(Math.log2(n))

/** The least size whose square reaches `n`. */
export const ceilSqrt = (n: Dim): Dim => Math.ceil(Math.sqrt(n))

/** The product of one size of each item. */
export const productOf = <A>(items: Iterable<A>, size: (item: A) => Dim): Dim => {
  let product: Dim = 1
  for (const item of items) product = dimMul(product, size(item))
  return product
}

/** Number of elements: the product of all sizes, 1 for a scalar. */
export const sizeOf = (shape: Shape): Dim => shape.reduce(dimMul, 1)

/** Number of elements along `axes` of `shape`. */
export const sizeAlong = (shape: Shape, axes: readonly number[]): Dim => productOf(axes, (a) => shape[a]!)

/** Number of points of a loop nest, or of a window: the product of its ranges' sizes. */
export const pointsOf = (ranges: Iterable<{ readonly size: Dim }>): Dim => productOf(ranges, (r) => r.size)

/** How many of `from`, `from + step`, `from + 2·step` … come before `to`; a negative step counts down. */
export const stepCount = (from: Dim, to: Dim, step: number): Dim => Math.max(0, ceilDiv(to - from, step))

/** How many positions a window of `size` taps (`dilation` apart) has on an axis of `n` when it moves by `stride`. */
export const windowCount = (n: Dim, size: Dim, stride: number, dilation: number): Dim => {
  const span = (size - 1) * dilation + 1
  return n < span ? 0 : floorDiv(n - span, stride) + 1
}
