/** When two stages pay for a reduction or contraction, and how the axis is split. */

import { typeOf } from '../../src/lang/build.ts'
import { alignUp, ceilDiv } from '../../src/lang/dim.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import type { Build, Node } from '../../src/lang/ir.ts'

/** Up to this many elements, one invocation reduces them all. */
const enough = 4096
/**
 * From this many results on there is enough parallelism, and the additional dispatch (cnn_train's bias gradients) does
 * not pay.
 */
const manyResults = 8
/** Padded axes are multiples of this, so that every level of a blocked summation has whole blocks. */
const grain = 32

/** Whether there are many elements per result and few results. */
export const isLong = (count: number, results: number): boolean =>
  count > enough && results > 0 && results < manyResults

const isSmooth = (n: number): boolean => {
  let rest = n
  for (const p of [2, 3, 5, 7]) while (rest % p === 0) rest /= p
  return rest === 1
}

/** Splits an axis of `size` into `outer` blocks of about `wanted` elements, padded where no suitable divisor exists. */
export const blocksOf = (size: number, wanted: number): { readonly outer: number; readonly block: number } => {
  for (let block = wanted; block >= Math.max(2, wanted / 4); block--)
    if (size % block === 0 && isSmooth(size)) return { outer: size / block, block }
  const block = wanted < grain ? wanted : alignUp(wanted, grain)
  const outer = ceilDiv(size, block)
  return { outer: outer < grain ? outer : alignUp(outer, grain), block }
}

/** Computes `f` in f32 for f16 and bf16, whose partial results would lose precision or overflow. */
export const inF32 = (b: Build, xs: readonly Node[], f: (xs: readonly Node[]) => Node): Node => {
  const { dtype } = typeOf(xs[0]!)
  if (!isFloat(dtype) || dtype === 'f32') return f(xs)
  return b.cast([f(xs.map((x) => b.cast([x], { dtype: 'f32' })))], { dtype })
}
