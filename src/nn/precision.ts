/** 16-bit floats: what is reduced is squared, divided and rooted in f32, and rounded once. */
import { isFloat, isHalf, promote } from '../lang/dtype.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { tensorsIn } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { isRecord, isTensor } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** An argument, or the tensors of a record of options or parameters, with 16-bit floats as f32. */
const widened = (x: unknown): unknown => {
  if (isTensor(x)) return isHalf(x.dtype) ? T.cast(x, 'f32') : x
  return isRecord(x) ? Object.fromEntries(Object.entries(x).map(([key, v]) => [key, widened(v)])) : x
}

/**
 * `body` with the 16-bit floats among its arguments as f32, its result (or each of several) rounded to what the floats promote
 * to. Where there is a mistake to tell of them, of the arguments as they are.
 */
export const roundedOnce =
  <Args extends readonly unknown[], R extends Tensor | readonly Tensor[]>(
    body: (...args: Args) => R,
  ): ((...args: Args) => R) =>
  (...args) => {
    const tensors = tensorsIn(args)
    const dtypes = tensors.some(isMistake) ? [] : tensors.map((x) => x.dtype).filter(isFloat)
    if (!dtypes.some(isHalf)) return body(...args)
    const wide = body(...(args.map(widened) as unknown as Args))
    const results = [wide].flat() as readonly Tensor[]
    if (results.some(isMistake)) return body(...args)
    const dtype = dtypes.reduce(promote)
    const rounded = results.map((r) => (r.dtype === 'f32' ? T.cast(r, dtype) : r))
    return (Array.isArray(wide) ? rounded : rounded[0]!) as R
  }
