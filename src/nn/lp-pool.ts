/** Pooling by the p-norm of windows. */
import { sizeOf } from '../lang/dim.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { averagePooled, type Pool } from './pool.ts'
import { type WindowOptions, windowOptions } from './pool-windows.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'
import { perAxis } from './windows.ts'

/** Options of p-norm pooling: the order of the norm, and windows as in `avgPool1d`; padding is zeros. */
export interface LpPoolOptions extends WindowOptions {
  readonly p: number
}

const lpPoolOptions: OptionNames<LpPoolOptions> = { p: 'must number', ...windowOptions }

/** The p-th root, with derivative 0 at 0. */
const root = (x: Tensor, p: number): Tensor => {
  if (p === 1) return x
  const none = T.equal(x, 0)
  const safe = choose(none, 1, x)
  return choose(none, 0, p === 2 ? T.sqrt(safe) : T.pow(safe, 1 / p))
}

const lpPool = <F>(name: string, spatial: number): F =>
  dataFirstWith(
    name,
    1,
    lpPoolOptions,
    roundedOnce((x: Tensor, { p, ...windows }: LpPoolOptions) => {
      const average = averagePooled(name, spatial, p === 1 ? x : T.pow(x, p), windows)
      const count = sizeOf(perAxis(name, 'kernelSize', windows.kernelSize, spatial))
      return isMistake(average) ? average : root(T.mul(average, count), p)
    }),
  )

/**
 * `(Σ xᵖ)^(1/p)` over windows of the last axis: `[N, C, L]` (or `[C, L]`), sizes as in `maxPool1d`. Powers keep their
 * sign, as in PyTorch: NaN where an odd p meets a negative sum; a partial window of `ceilMode` counts as a whole one. Floats.
 * ShapeError where windows do not fit.
 * @example
 * T.reference(nn.lpPool1d(T.tensor([[3, 4, 1.5, 2]]), { p: 2, kernelSize: 2 })).data // => [5, 2.5]
 */
export const lpPool1d: Pool<LpPoolOptions, readonly [0]> = lpPool('nn.lpPool1d', 1)

/**
 * `(Σ xᵖ)^(1/p)` over windows of the last two axes: `[N, C, H, W]` (or without N); as `lpPool1d`.
 * @example
 * T.reference(nn.lpPool2d(T.tensor([[[1.5, 2], [0, 6]]]), { p: 2, kernelSize: 2 })).data // => [6.5]
 */
export const lpPool2d: Pool<LpPoolOptions, readonly [0, 0]> = lpPool('nn.lpPool2d', 2)

/**
 * `(Σ xᵖ)^(1/p)` over windows of the last three axes: `[N, C, D, H, W]` (or without N); as `lpPool1d`.
 * @example
 * T.reference(nn.lpPool3d(T.tensor([[[[1.5, 2], [0, 6]]]]), { p: 2, kernelSize: [1, 2, 2] })).data // => [6.5]
 */
export const lpPool3d: Pool<LpPoolOptions, readonly [0, 0, 0]> = lpPool('nn.lpPool3d', 3)
