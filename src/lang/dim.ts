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

/** How many parts of size `by` cover `n`, the last one perhaps not full. */
export const ceilDiv = (n: Dim, by: Dim): Dim => Math.ceil(n / by)

/** `n` rounded up to a multiple of `unit`. */
export const alignUp = (n: Dim, unit: Dim): Dim => ceilDiv(n, unit) * unit

/** Number of elements: the product of all sizes, 1 for a scalar. */
export const sizeOf = (shape: Shape): Dim => shape.reduce(dimMul, 1)

/** How many positions a window of `size` taps (`dilation` apart) has on an axis of `n` when it moves by `stride`. */
export const windowCount = (n: Dim, size: Dim, stride: number, dilation: number): Dim => {
  const span = (size - 1) * dilation + 1
  return n < span ? 0 : Math.floor((n - span) / stride) + 1
}
