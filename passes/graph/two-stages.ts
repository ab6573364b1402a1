/** When a reduction or contraction is worth two stages, and how an axis is cut for them. */

import { typeOf } from '../../src/lang/build.ts'
import { alignUp, ceilDiv } from '../../src/lang/dim.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import type { Build, Node } from '../../src/lang/ir.ts'

/** Elements that one invocation may as well reduce alone. */
const enough = 4096
/** From this many results on, the loops run side by side, and a dispatch more (cnn_train's bias gradients) is not won back. */
const manyResults = 8
/** Sizes of padded axes are multiples of this: whole blocks at every level of the loops that follow. */
const grain = 32

/** Many elements a result, and few results. */
export const isLong = (count: number, results: number): boolean =>
  count > enough && results > 0 && results < manyResults

const isSmooth = (n: number): boolean => {
  let rest = n
  for (const p of [2, 3, 5, 7]) while (rest % p === 0) rest /= p
  return rest === 1
}

/** An axis of `size` as `outer` blocks of `block` elements, a little more where it has no fit divisor near `wanted`. */
export const blocksOf = (size: number, wanted: number): { readonly outer: number; readonly block: number } => {
  for (let block = wanted; block >= Math.max(2, wanted / 4); block--)
    if (size % block === 0 && isSmooth(size)) return { outer: size / block, block }
  const block = wanted < grain ? wanted : alignUp(wanted, grain)
  const outer = ceilDiv(size, block)
  return { outer: outer < grain ? outer : alignUp(outer, grain), block }
}

/** Of f16 and bf16 in f32: partial results would be rounded to them, or overflow. */
export const inF32 = (b: Build, xs: readonly Node[], f: (xs: readonly Node[]) => Node): Node => {
  const { dtype } = typeOf(xs[0]!)
  if (!isFloat(dtype) || dtype === 'f32') return f(xs)
  return b.cast([f(xs.map((x) => b.cast([x], { dtype: 'f32' })))], { dtype })
}
