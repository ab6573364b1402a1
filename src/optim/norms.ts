/** Stages that look at how long updates are: clipping, by all, by each or by element, centring, trust ratios. */
import { printedCall } from '../lang/print/call-text.ts'
import { demandNumber, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import {
  add,
  cast,
  clamp,
  div,
  full,
  greater,
  isinf,
  logicalAnd,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  onesLike,
  sqrt,
  sum,
  where,
} from '../lang/tensor/index.ts'
import { flattenTree, isTensor } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { each, stateless, type Transform } from './transform.ts'

/** Their squares are numbers for elements up to the largest that f32 holds. */
const shrunk = 2 ** -75

/**
 * The 2-norm of all tensors of a tree together: an f32 scalar, 0 for an empty tree. It is finite where it fits f32, though
 * squares of elements are not.
 * @example
 * T.reference(optim.globalNorm({ a: T.tensor([3]), b: [T.tensor([[4]])] })).data // => [5]
 */
export const globalNorm = (tree: unknown): Tensor => {
  const leaves = flattenTree<Tensor>(tree, isTensor).leaves.map((x) => cast(x, 'f32') as Tensor)
  const ofSquares = (xs: readonly Tensor[]): Tensor =>
    xs.map((x) => sum(mul(x, x)) as Tensor).reduce((p, q) => add(p, q), full([], 0, { dtype: 'f32' }) as Tensor)
  const plain = ofSquares(leaves)
  // One root of what is chosen: that of the other would have no slope.
  const isOver = isinf(plain)
  const squares = where(isOver, ofSquares(leaves.map((x) => mul(x, shrunk))), plain)
  const norm = sqrt(squares)
  return where(isOver, mul(norm, 1 / shrunk), norm)
}

/** What takes something of this norm to `max`, if it is longer. */
const factorWithin = (max: number, norm: Tensor): Tensor => minimum(div(max, add(norm, 1e-6)), 1)

/**
 * u · min(1, max / (norm + 1e-6)) with the norm of all updates together (torch's clip_grad_norm_).
 * @example
 * const u = T.tensor([3, 4], { dtype: 'f32' })
 * T.reference(optim.clipByGlobalNorm(1).apply(u, [], u, T.tensor(0))[0]).data // => [0.6, 0.8]
 */
export const clipByGlobalNorm = (max: number): Transform => {
  demandNumber('optim.clipByGlobalNorm', 'the largest norm', max)
  const stage = stateless((updates) => {
    const factor = factorWithin(max, globalNorm(updates))
    return each((u) => mul(u!, factor), updates)
  })
  return printedCall(stage, 'optim.clipByGlobalNorm', max)
}

/**
 * u · min(1, max / (norm + 1e-6)) for every tensor by itself, with its own 2-norm. For the norm of a part of the parameters
 * together there is `masked(clipByGlobalNorm(max), mask)`, for that of each part `groups`.
 * @example
 * const u = { a: T.tensor([3, 4], { dtype: 'f32' }), b: T.tensor([0.5]) }
 * const [next] = optim.clipByNorm(1).apply(u, [], u, T.tensor(0))
 * T.reference([next.a, next.b]).map((t) => t.data) // => [[0.6, 0.8], [0.5]]
 */
export const clipByNorm = (max: number): Transform => {
  demandNumber('optim.clipByNorm', 'the largest norm', max)
  const stage = stateless((updates) => each((u) => mul(u!, factorWithin(max, globalNorm(u!))), updates))
  return printedCall(stage, 'optim.clipByNorm', max)
}

/**
 * u / max(1, rms / max) for every tensor by itself, with the root of its mean square (Shazeer and Stern 2018, section 6, as
 * Adafactor clips).
 * @example
 * const u = T.tensor([3, -3], { dtype: 'f32' })
 * T.reference(optim.clipByBlockRms(1.5).apply(u, [], u, T.tensor(0))[0]).data // => [1.5, -1.5]
 */
export const clipByBlockRms = (max: number): Transform => {
  demandNumber('optim.clipByBlockRms', 'the largest root mean square', max)
  const stage = stateless((updates) =>
    each((u) => {
      const rms = div(globalNorm(u!), globalNorm(onesLike(u!)))
      return div(u!, maximum(div(rms, max), 1))
    }, updates),
  )
  return printedCall(stage, 'optim.clipByBlockRms', max)
}

/**
 * Every element of the updates kept within [-max, max].
 * @example
 * const u = T.tensor([-3.5, 0.5])
 * T.reference(optim.clipByValue(1).apply(u, [], u, T.tensor(0))[0]).data // => [-1, 0.5]
 */
export const clipByValue = (max: number): Transform => {
  demandNumber('optim.clipByValue', 'the largest value', max)
  const stage = stateless((updates) => each((u) => clamp(u!, { min: -max, max }), updates))
  return printedCall(stage, 'optim.clipByValue', max)
}

/**
 * u - mean(u) over all axes but the first, for tensors of rank 2 and more; others as they are (gradient centralisation,
 * Yong et al. 2020).
 * @example
 * const u = T.tensor([[1, 3]], { dtype: 'f32' })
 * T.reference(optim.centralise().apply(u, [], u, T.tensor(0))[0]).data // => [-1, 1]
 */
export const centralise = (): Transform => {
  const stage = stateless((updates) =>
    each((u) => {
      const rest = u!.shape.map((_, i) => i).slice(1)
      return rest.length === 0 ? u! : add(u!, neg(mean(u!, { axis: rest, keepdims: true })))
    }, updates),
  )
  return printedCall(stage, 'optim.centralise')
}

/** Settings of `scaleByTrustRatio`. */
export interface TrustRatioOptions {
  readonly coefficient?: number | undefined
}

const trustRatioOptions: OptionNames<TrustRatioOptions> = { coefficient: 'positive' }

/**
 * u · coefficient · ‖p‖ / ‖u‖ for every tensor by itself, u where a norm is 0: steps as long as what they change (You et al. 2017,
 * LARS; 2020, LAMB); coefficient 1.
 * @example
 * const [u] = optim.scaleByTrustRatio().apply(T.tensor([0, 0.5]), [], T.tensor([3, 4], { dtype: 'f32' }), T.tensor(0))
 * T.reference(u).data // => [0, 5]
 */
export const scaleByTrustRatio = (options: TrustRatioOptions = {}): Transform => {
  demandRecord('optim.scaleByTrustRatio', trustRatioOptions, options)
  const { coefficient = 1 } = options
  const stage = stateless((updates, params) =>
    each(
      (u, p) => {
        const [ofUpdate, ofParameter] = [globalNorm(u!), globalNorm(p!)]
        const isLong = logicalAnd(greater(ofUpdate, 0), greater(ofParameter, 0))
        const ratio = div(mul(ofParameter, coefficient), where(isLong, ofUpdate, 1))
        return mul(u!, where(isLong, ratio, 1))
      },
      updates,
      params,
    ),
  )
  return printedCall(stage, 'optim.scaleByTrustRatio', options)
}
