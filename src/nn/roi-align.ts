/** Regions of images read on a grid of even size (He et al. 2017). */
import { isFloat } from '../lang/dtype.ts'
import { showShape } from '../lang/shape.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { type GridTap, joinTaps } from './grid-taps.ts'
import { mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'
import { type PerAxis, perAxis } from './windows.ts'

/**
 * Options of `roiAlign`: the bins of each region, the scale from boxes to elements (1), the samples along each axis of a bin,
 * and whether boxes are half an element further up and left.
 */
export interface RoiAlignOptions {
  readonly outputSize: PerAxis
  /** Above 0: where torchvision's -1 asks for as many as fit, the shape of the work would depend on the data. */
  readonly samplingRatio: number
  readonly spatialScale?: number | undefined
  readonly aligned?: boolean | undefined
}

const roiAlignOptions: OptionNames<RoiAlignOptions> = {
  outputSize: 'must integers',
  samplingRatio: 'must count',
  spatialScale: 'positive',
  aligned: 'boolean',
}

type RoiAlign = {
  (
    boxes: Tensor,
    options: RoiAlignOptions,
  ): <D extends Tensor['dtype']>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends Tensor['dtype']>(
    x: Tensor<Tensor['shape'], D>,
    boxes: Tensor,
    options: RoiAlignOptions,
  ): Tensor<Tensor['shape'], D>
}

/** The two neighbours of the samples of `bins` along one axis, for a region from `low` to `high` `[K, 1]`. */
const neighbours = (
  low: Tensor,
  high: Tensor,
  size: number,
  bins: number,
  { samplingRatio: samples, aligned = false }: RoiAlignOptions,
): readonly GridTap[] => {
  const length = aligned ? T.sub(high, low) : T.maximum(T.sub(high, low), 1)
  const steps = Array.from({ length: bins * samples }, (_, i) => (i + 0.5) / (bins * samples))
  const place = T.add(low, T.mul(length, T.tensor(steps, { dtype: 'f32' }))) as Tensor
  const inside = T.logicalAnd(T.greaterEqual(place, -1), T.lessEqual(place, size)) as Tensor
  const held = T.clamp(place, { min: 0, max: size - 1 }) as Tensor
  const first = T.floor(choose(inside, held, 0)) as Tensor
  const part = choose(inside, T.sub(held, first) as Tensor, 0)
  const at = T.cast(first, 'i32') as Tensor
  return [
    { at, weight: T.sub(1, part) as Tensor, inside },
    { at: T.minimum(T.add(at, 1), size - 1) as Tensor, weight: part, inside },
  ]
}

/** A tap of each region and sample with an axis of size 1 for the samples along the other axis. */
const spread =
  (axis: number) =>
  ({ at, weight, inside }: GridTap): GridTap => {
    const wide = (x: Tensor): Tensor => T.expandDims(x, axis) as Tensor
    return { at: wide(at), weight: wide(weight!), inside: wide(inside!) }
  }

/** The refusal of images and boxes that do not go together. */
const wrongRegions = (x: Tensor, boxes: Tensor, outs: readonly number[]): Tensor | undefined => {
  const mistake = mistakeAmong('nn.roiAlign', { 'the input': x, 'the boxes': boxes })
  if (mistake) return mistake
  const fail = (reason: string, hint: string): Tensor =>
    tensorOf(refuse('nn.roiAlign', [nodeOf(x), nodeOf(boxes)], { reason, hint }))
  if (x.shape.length !== 4) return fail(`takes an input of rank 4, not ${x.shape.length}`, 'give [N, C, H, W]')
  if (boxes.shape.length !== 2 || boxes.shape[1] !== 5)
    return fail(`boxes have shape ${showShape(boxes.shape)}, not [K, 5]`, 'a row is image, left, top, right, bottom')
  if (!isFloat(x.dtype) || !isFloat(boxes.dtype))
    return fail(`takes floats, not ${x.dtype} and ${boxes.dtype}`, "cast first: T.cast(x, 'f32')")
  if (outs.length !== 2 || !outs.every((d) => Number.isInteger(d) && d > 0))
    return fail(`the output size [${outs.join(', ')}] is not two sizes above 0`, 'one number stands for both')
  return [x.shape[0], ...x.shape.slice(2)].includes(0)
    ? fail('the input has no elements', 'sizes start at 1')
    : undefined
}

/**
 * Regions of images `[N, C, H, W]` as `outputSize` bins each: boxes `[K, 5]` are rows of an image's number, left, top, right and
 * bottom, times `spatialScale` (1) in elements → `[K, C, height, width]`. A bin is the mean of `samplingRatio`² bilinear
 * samples, 0 more than an element outside; with `aligned` boxes are taken half an element further up and left, else they are an element
 * wide at least (torchvision.ops.roi_align, of which a `samplingRatio` above 0 is asked: a number of samples that depends on
 * the data would make shapes that do). The boxes get no gradient, as there. Floats; the number of an image past the last
 * is that of the last. ShapeError for operands that do not fit.
 * @example
 * const x = T.reshape(T.arange(16, { dtype: 'f32' }), [1, 1, 4, 4])
 * const boxes = T.tensor([[0, 0.5, 0.5, 2.5, 2.5]])
 * T.reference(nn.roiAlign(x, boxes, { outputSize: 2, samplingRatio: 1 })).data // => [5, 6, 9, 10]
 */
export const roiAlign: RoiAlign = dualWith(
  'nn.roiAlign',
  2,
  roiAlignOptions,
  roundedOnce((x: Tensor, given: Tensor, options: RoiAlignOptions) => {
    const { outputSize, spatialScale = 1, samplingRatio: samples, aligned = false } = options
    const outs = perAxis('nn.roiAlign', 'outputSize', outputSize, 2)
    const wrong = wrongRegions(x, given, outs)
    if (wrong) return wrong
    const boxes = T.stopGradient(given) as Tensor
    const [batch, channels, height, width] = x.shape as readonly [number, number, number, number]
    const [bh, bw] = outs as readonly [number, number]
    const count = boxes.shape[0]!
    const edge = (i: number): Tensor =>
      T.sub(T.mul(T.narrow(boxes, i, 1, { axis: 1 }), spatialScale), aligned ? 0.5 : 0) as Tensor
    const rows = neighbours(edge(2), edge(4), height, bh, options)
    const columns = neighbours(edge(1), edge(3), width, bw, options)
    const image = T.clamp(T.cast(T.select(boxes, 0, { axis: 1 }), 'i32'), { min: 0, max: batch - 1 })
    const start = T.reshape(T.mul(image, height * width), [count, 1, 1])
    const pixels = T.reshape(T.moveaxis(x, 1, -1) as Tensor, [batch * height * width, channels]) as Tensor
    const terms = joinTaps([rows.map(spread(2)), columns.map(spread(1))], [height, width]).map(
      ({ at, weight, inside }) => {
        const factor = T.expandDims(choose(inside!, weight!, 0), -1)
        return T.mul(T.take(pixels, T.add(start, at) as Tensor), factor) as Tensor
      },
    )
    const all = terms.reduce((p, q) => T.add(p, q) as Tensor)
    const parts = T.reshape(all, [count, bh, samples, bw, samples, channels])
    return T.moveaxis(T.mean(parts, { axis: [2, 4] }) as Tensor, -1, 1)
  }),
)
