/** Sliding blocks of images as columns of a matrix (im2col), and columns summed back onto the image (col2im). */
import { build, typeOf } from '../lang/build.ts'
import { isDim, sizeOf, windowCount } from '../lang/dim.ts'
import type { DType } from '../lang/dtype.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import { onTensor, refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { permuteNode } from '../lang/tensor/shape/axes.ts'
import { padNode } from '../lang/tensor/shape/padding.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type PerAxis, perAxis, range, windowsNode } from './windows.ts'

/** The blocks: their size, the step between them, the distance of their elements, zeros around the image. */
export interface UnfoldOptions {
  readonly kernelSize: PerAxis
  readonly stride?: PerAxis | undefined
  readonly padding?: PerAxis | undefined
  readonly dilation?: PerAxis | undefined
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

/** How many spatial axes there are: as many as an option names, else two. */
const axesOf = ({ kernelSize, outputSize }: { readonly kernelSize: PerAxis; readonly outputSize?: PerAxis }): number =>
  Array.isArray(kernelSize) ? kernelSize.length : Array.isArray(outputSize) ? outputSize.length : 2

/** Options for all axes, and how many blocks fit; or what is wrong with them. */
const geometry = (
  name: string,
  sizes: readonly number[],
  { kernelSize, stride = 1, padding = 0, dilation = 1 }: UnfoldOptions,
) => {
  const spatial = sizes.length
  const kernel = perAxis(name, 'kernelSize', kernelSize, spatial)
  const step = perAxis(name, 'stride', stride, spatial)
  const around = perAxis(name, 'padding', padding, spatial)
  const apart = perAxis(name, 'dilation', dilation, spatial)
  const whole = (list: readonly number[], least: number): boolean =>
    list.length === spatial && list.every((v) => Number.isInteger(v) && v >= least)
  if (!(whole(kernel, 1) && whole(step, 1) && whole(apart, 1) && whole(around, 0)))
    return `kernelSize, stride and dilation must be positive whole numbers, padding not negative, ${spatial} of each`
  const counts = sizes.map((n, i) => windowCount(n + 2 * around[i]!, kernel[i]!, step[i]!, apart[i]!))
  return counts.includes(0)
    ? `blocks of [${kernel.join(', ')}] do not fit an image of [${sizes.join(', ')}]`
    : { kernel, stride: step, padding: around, dilation: apart, counts }
}

/** `[N, C, …counts, …kernel]` and `[N, C, …kernel, …counts]` from one another. */
const swapped = (spatial: number): readonly number[] => [0, 1, ...range(spatial, 2 + spatial), ...range(spatial, 2)]

/**
 * Blocks of an image as columns: `[N, C, H, W]` (or without N) → `[N, C·kh·kw, L]`, L blocks in row-major order of their
 * places (torch.nn.functional.unfold, im2col). There are as many spatial axes as `kernelSize` has numbers, two where it is
 * one number: `[N, C, L]` with `[k]`, `[N, C, D, H, W]` with `[kd, kh, kw]`, and so on. ShapeError where blocks do not fit.
 * @example
 * const x = T.reshape(T.arange(6), [1, 2, 3])
 * T.reference(nn.unfold(x, { kernelSize: 2 })).data // => [0, 1, 1, 2, 3, 4, 4, 5]
 * T.reference(nn.unfold(T.tensor([[1, 2, 3]]), { kernelSize: [2] })).data // => [1, 2, 2, 3]
 */
export const unfold: Blocks<UnfoldOptions> = dataFirstWith(
  'nn.unfold',
  1,
  unfoldOptions,
  (x: Tensor, options: UnfoldOptions) =>
    onTensor('nn.unfold', x, (given, { shape }) => {
      const spatial = axesOf(options)
      const single = shape.length === spatial + 1
      if (spatial < 1 || (!single && shape.length !== spatial + 2))
        return refuse('nn.unfold', [given], {
          reason: `takes ${spatial === 2 ? '[N, C, H, W] or [C, H, W]' : `rank ${spatial + 2} (or ${spatial + 1} without a batch)`}, not rank ${shape.length}`,
          hint: 'kernelSize has a number for each spatial axis; one number alone stands for two',
        })
      const n = single ? reshapeNode(given, [1, ...shape]) : given
      const [batch, channels, ...sizes] = typeOf(n).shape
      const g = geometry('nn.unfold', sizes, options)
      if (typeof g === 'string') return refuse('nn.unfold', [given], { reason: g })
      const padded = padNode(n, [0, 0, ...g.padding], [0, 0, ...g.padding], 0)
      const windows = permuteNode(windowsNode(padded, g.kernel, g), swapped(spatial))
      const [rows, columns] = [channels! * sizeOf(g.kernel), sizeOf(g.counts)]
      return reshapeNode(windows, single ? [rows, columns] : [batch!, rows, columns])
    }),
)

/**
 * The transpose of `unfold`: columns `[N, C·kh·kw, L]` (or without N) summed onto an image `[N, C, …outputSize]`
 * (torch.nn.functional.fold, col2im). There are as many spatial axes as `kernelSize`, else `outputSize`, has numbers, two
 * where both are one number. ShapeError where the columns are not those of such an image.
 * @example
 * const columns = T.reshape(T.arange(8), [4, 2])
 * T.reference(nn.fold(columns, { outputSize: [2, 3], kernelSize: 2 })).data // => [0, 3, 3, 4, 11, 7]
 * T.reference(nn.fold(T.tensor([[1, 2], [2, 3]]), { outputSize: [3], kernelSize: 2 })).data // => [1, 4, 3]
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
      const spatial = axesOf({ ...options, outputSize })
      const sizes = perAxis('nn.fold', 'outputSize', outputSize, spatial)
      if (sizes.length !== spatial || spatial < 1 || !sizes.every(isDim))
        return refuse('nn.fold', [given], {
          reason: `the output size [${sizes.join(', ')}] is not ${spatial === 2 ? 'two' : spatial} sizes`,
          hint: 'give one for each number of kernelSize, as height and width of an image, or one number for all',
        })
      const g = geometry('nn.fold', sizes, options)
      if (typeof g === 'string') return refuse('nn.fold', [given], { reason: g })
      const [block, places] = [sizeOf(g.kernel), sizeOf(g.counts)]
      const channels = rows! / block
      if (!Number.isInteger(channels) || columns !== places)
        return refuse('nn.fold', [given], {
          reason: `[${rows}, ${columns}] is not [C·${block}, ${places}]`,
          hint: `an image of [${sizes.join(', ')}] has ${g.counts.join(' by ')} such blocks`,
        })
      const split = permuteNode(reshapeNode(given, [batch!, channels, ...g.kernel, ...g.counts]), swapped(spatial))
      const image = [...range(spatial)].reverse().reduce(
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
