/** Sliding blocks of images as columns of a matrix (im2col), and columns summed back onto the image (col2im). */
import { build, typeOf } from '../lang/build.ts'
import { isDim, windowCount } from '../lang/dim.ts'
import type { DType } from '../lang/dtype.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import { onTensor, refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { permuteNode } from '../lang/tensor/shape/axes.ts'
import { padNode } from '../lang/tensor/shape/padding.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type PerAxis, perAxis, windowsNode } from './conv.ts'

/** The blocks: their size, the step between them, the distance of their elements, zeros around the image. */
export interface UnfoldOptions {
  readonly kernelSize: PerAxis
  readonly stride?: PerAxis
  readonly padding?: PerAxis
  readonly dilation?: PerAxis
}

const unfoldOptions: OptionNames<UnfoldOptions> = {
  kernelSize: 'must integers',
  stride: 'integers',
  padding: 'integers',
  dilation: 'integers',
}

/** Options of `fold`: the size of the image, and blocks as in `unfold`. */
export interface FoldOptions extends UnfoldOptions {
  readonly outputSize: PerAxis
}

const foldOptions: OptionNames<FoldOptions> = { outputSize: 'must integers', ...unfoldOptions }

type Blocks<O> = {
  (options: O): <D extends DType>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends DType>(x: Tensor<Tensor['shape'], D>, options: O): Tensor<Tensor['shape'], D>
}

/** Options for both axes, and how many blocks fit; or what is wrong with them. */
const geometry = (
  name: string,
  sizes: readonly number[],
  { kernelSize, stride = 1, padding = 0, dilation = 1 }: UnfoldOptions,
) => {
  const kernel = perAxis(name, 'kernelSize', kernelSize, 2)
  const step = perAxis(name, 'stride', stride, 2)
  const around = perAxis(name, 'padding', padding, 2)
  const apart = perAxis(name, 'dilation', dilation, 2)
  const whole = (list: readonly number[], least: number): boolean =>
    list.length === 2 && list.every((v) => Number.isInteger(v) && v >= least)
  if (!(whole(kernel, 1) && whole(step, 1) && whole(apart, 1) && whole(around, 0)))
    return 'kernelSize, stride and dilation must be positive whole numbers, padding not negative, two of each'
  const counts = sizes.map((n, i) => windowCount(n + 2 * around[i]!, kernel[i]!, step[i]!, apart[i]!))
  return counts.includes(0)
    ? `blocks of [${kernel.join(', ')}] do not fit an image of [${sizes.join(', ')}]`
    : { kernel, stride: step, padding: around, dilation: apart, counts }
}

/**
 * Blocks of an image as columns: `[N, C, H, W]` (or without N) → `[N, C·kh·kw, L]`, L blocks in row-major order of their
 * places (torch.nn.functional.unfold, im2col). ShapeError where blocks do not fit.
 * @example
 * const x = T.reshape(T.arange(6), [1, 2, 3])
 * T.reference(nn.unfold(x, { kernelSize: 2 })).data // => [0, 1, 1, 2, 3, 4, 4, 5]
 */
export const unfold: Blocks<UnfoldOptions> = dataFirstWith(
  'nn.unfold',
  1,
  unfoldOptions,
  (x: Tensor, options: UnfoldOptions) =>
    onTensor('nn.unfold', x, (given, { shape }) => {
      if (shape.length !== 3 && shape.length !== 4)
        return refuse('nn.unfold', [given], { reason: `takes [N, C, H, W] or [C, H, W], not rank ${shape.length}` })
      const n = shape.length === 3 ? reshapeNode(given, [1, ...shape]) : given
      const [batch, channels, ...sizes] = typeOf(n).shape
      const g = geometry('nn.unfold', sizes, options)
      if (typeof g === 'string') return refuse('nn.unfold', [given], { reason: g })
      const padded = padNode(n, [0, 0, ...g.padding], [0, 0, ...g.padding], 0)
      const windows = permuteNode(windowsNode(padded, g.kernel, g), [0, 1, 4, 5, 2, 3])
      const rows = channels! * g.kernel[0]! * g.kernel[1]!
      const columns = g.counts[0]! * g.counts[1]!
      return reshapeNode(windows, shape.length === 3 ? [rows, columns] : [batch!, rows, columns])
    }),
)

/**
 * The transpose of `unfold`: columns `[N, C·kh·kw, L]` (or without N) summed onto an image `[N, C, …outputSize]`
 * (torch.nn.functional.fold, col2im). ShapeError where the columns are not those of such an image.
 * @example
 * const columns = T.reshape(T.arange(8), [4, 2])
 * T.reference(nn.fold(columns, { outputSize: [2, 3], kernelSize: 2 })).data // => [0, 3, 3, 4, 11, 7]
 */
export const fold: Blocks<FoldOptions> = dataFirstWith(
  'nn.fold',
  1,
  foldOptions,
  (x: Tensor, { outputSize, ...options }: FoldOptions) =>
    onTensor('nn.fold', x, (given, { shape }) => {
      if (shape.length !== 2 && shape.length !== 3)
        return refuse('nn.fold', [given], { reason: `takes [N, C·kh·kw, L] or [C·kh·kw, L], not rank ${shape.length}` })
      const [batch, rows, columns] = shape.length === 2 ? [1, ...shape] : shape
      const sizes = perAxis('nn.fold', 'outputSize', outputSize, 2)
      if (sizes.length !== 2 || !sizes.every(isDim))
        return refuse('nn.fold', [given], {
          reason: `the output size [${sizes.join(', ')}] is not two sizes`,
          hint: 'give the height and the width of the image, or one number for both',
        })
      const g = geometry('nn.fold', sizes, options)
      if (typeof g === 'string') return refuse('nn.fold', [given], { reason: g })
      const [[kh, kw], [oh, ow]] = [g.kernel, g.counts]
      const channels = rows! / (kh! * kw!)
      if (!Number.isInteger(channels) || columns !== oh! * ow!)
        return refuse('nn.fold', [given], {
          reason: `[${rows}, ${columns}] is not [C·${kh! * kw!}, ${oh! * ow!}]`,
          hint: `an image of [${sizes.join(', ')}] has ${oh} by ${ow} such blocks`,
        })
      const split = permuteNode(reshapeNode(given, [batch!, channels, kh!, kw!, oh!, ow!]), [0, 1, 4, 5, 2, 3])
      const image = [1, 0].reduce(
        (n, i) =>
          build.fold([n], {
            axis: 2 + i,
            n: sizes[i]! + 2 * g.padding[i]!,
            stride: g.stride[i]!,
            dilation: g.dilation[i]!,
          }),
        split,
      )
      const crop = [0, 0, ...g.padding.map((p) => -p)]
      const out = padNode(image, crop, crop, 0)
      return shape.length === 2 ? reshapeNode(out, typeOf(out).shape.slice(1)) : out
    }),
)
