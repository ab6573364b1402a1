/** Images read at computed places: a grid of coordinates, and the grid of an affine map. */
import { sizeOf } from '../lang/dim.ts'
import { isFloat } from '../lang/dtype.ts'
import { showShape } from '../lang/shape.ts'
import { demandChoice, demandShape, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith, dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { type GridMode, type GridPadding, gridTaps, joinTaps } from './grid-taps.ts'
import { mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'

/**
 * Options of `gridSample`: how a sample is made of its neighbours ('bilinear'), what lies outside ('zeros'), and whether ±1
 * are the centres of the corner elements or (false) their outer edges.
 */
export interface GridSampleOptions {
  readonly mode?: GridMode | undefined
  readonly paddingMode?: GridPadding | undefined
  readonly alignCorners?: boolean | undefined
}

const gridSampleOptions: OptionNames<GridSampleOptions> = { mode: 'own', paddingMode: 'own', alignCorners: 'boolean' }

type GridSample = {
  (
    grid: Tensor,
    options?: GridSampleOptions,
  ): <D extends Tensor['dtype']>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends Tensor['dtype']>(
    x: Tensor<Tensor['shape'], D>,
    grid: Tensor,
    options?: GridSampleOptions,
  ): Tensor<Tensor['shape'], D>
}

/** The refusal of an image and a grid that do not go together. */
const wrongGrid = (x: Tensor, grid: Tensor, mode: GridMode): Tensor | undefined => {
  const mistake = mistakeAmong('nn.gridSample', { 'the input': x, 'the grid': grid })
  if (mistake) return mistake
  const fail = (reason: string, hint: string): Tensor =>
    tensorOf(refuse('nn.gridSample', [nodeOf(x), nodeOf(grid)], { reason, hint }))
  const spatial = x.shape.length - 2
  if (spatial !== 2 && spatial !== 3)
    return fail(`takes an input of rank 4 or 5, not ${x.shape.length}`, 'give [N, C, H, W] or [N, C, D, H, W]')
  if (grid.shape.length !== spatial + 2 || grid.shape[0] !== x.shape[0] || grid.shape.at(-1) !== spatial)
    return fail(
      `a grid of shape ${showShape(grid.shape)} does not fit an input of shape ${showShape(x.shape)}`,
      `give [N, …output sizes, ${spatial}]: for each output its coordinates, x first`,
    )
  if (!isFloat(x.dtype) || !isFloat(grid.dtype))
    return fail(`takes floats, not ${x.dtype} and ${grid.dtype}`, "cast first: T.cast(x, 'f32')")
  if (mode === 'bicubic' && spatial === 3) return fail("mode 'bicubic' takes two spatial axes", "take 'bilinear'")
  return x.shape.slice(2).includes(0) ? fail('the input has no elements', 'sizes start at 1') : undefined
}

/**
 * `x` `[N, C, H, W]` at the places of a grid `[N, Ho, Wo, 2]` → `[N, C, Ho, Wo]`, or `[N, C, D, H, W]` and `[N, Do, Ho, Wo, 3]`:
 * coordinates are (x, y) or (x, y, z) in [-1, 1] over the image (torch.nn.functional.grid_sample). Modes 'bilinear' (in
 * three dimensions trilinear), 'nearest' (halves to the even one), 'bicubic' (two axes; a = -0.75); padding 'zeros',
 * 'border', 'reflection'. A coordinate that is NaN lies outside, where the image is padded with anything else at 0. Gradients go to both;
 * none to a coordinate that is rounded or held at the border. Floats. ShapeError for operands that do not fit.
 * @example
 * const x = T.tensor([[[[1.5, 2.5], [3.5, 4.5]]]])
 * const grid = T.tensor([[[[0, 0], [-0.5, -0.5], [1, 1]]]], { dtype: 'f32' })
 * T.reference(nn.gridSample(x, grid)).data // => [3, 1.5, 1.125]
 * T.reference(nn.gridSample(x, grid, { alignCorners: true })).data // => [3, 2.25, 4.5]
 */
export const gridSample: GridSample = dualWith(
  'nn.gridSample',
  2,
  gridSampleOptions,
  roundedOnce((x: Tensor, grid: Tensor, options: GridSampleOptions = {}) => {
    const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options
    demandChoice('nn.gridSample', 'mode', mode, ['bilinear', 'nearest', 'bicubic'])
    demandChoice('nn.gridSample', 'padding mode', paddingMode, ['zeros', 'border', 'reflection'])
    const wrong = wrongGrid(x, grid, mode)
    if (wrong) return wrong
    const [batch, channels, ...sizes] = x.shape as readonly [number, number, ...number[]]
    const outs = grid.shape.slice(1, -1)
    // Coordinates are named from the last axis to the first.
    const axes = sizes.map((size, i) =>
      gridTaps(T.select(grid, sizes.length - 1 - i, { axis: -1 }) as Tensor, size, mode, paddingMode, alignCorners),
    )
    const flat = T.reshape(x, [batch, channels, sizeOf(sizes)]) as Tensor
    const row = (t: Tensor): Tensor => T.reshape(t, [batch, 1, sizeOf(outs)]) as Tensor
    const terms = joinTaps(axes, sizes).map(({ at, weight, inside }) => {
      const picked = T.takeAlongAxis(flat, row(at), { axis: 2 }) as Tensor
      const seen = inside ? choose(row(inside), picked, 0) : picked
      return weight ? (T.mul(seen, row(weight)) as Tensor) : seen
    })
    const sum = terms.reduce((p, q) => T.add(p, q) as Tensor)
    return T.reshape(sum, [batch, channels, ...outs])
  }),
)

/** Options of `affineGrid`: what ±1 are, as in `gridSample`. */
export interface AffineGridOptions {
  readonly alignCorners?: boolean | undefined
}

const affineGridOptions: OptionNames<AffineGridOptions> = { alignCorners: 'boolean' }

type AffineGrid = {
  (
    size: readonly number[],
    options?: AffineGridOptions,
  ): <D extends Tensor['dtype']>(theta: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends Tensor['dtype']>(
    theta: Tensor<Tensor['shape'], D>,
    size: readonly number[],
    options?: AffineGridOptions,
  ): Tensor<Tensor['shape'], D>
}

/** The coordinates of the centres of `size` elements. */
const centres = (size: number, aligned: boolean): readonly number[] =>
  Array.from({ length: size }, (_, i) => (aligned ? (size > 1 ? (2 * i) / (size - 1) - 1 : 0) : (2 * i + 1) / size - 1))

/**
 * The grid that `gridSample` reads to transform an image by `theta` `[N, 2, 3]` (rows for x and y of the input, columns for x
 * and y of the output and a shift) to `size` `[N, C, H, W]` → `[N, H, W, 2]`; or `[N, 3, 4]`, `[N, C, D, H, W]` → `[N, D, H, W, 3]`
 * (torch.nn.functional.affine_grid). Floats. ShapeError for matrices and sizes that do not fit.
 * @example
 * const theta = T.tensor([[[1, 0, 0.25], [0, 2, 0]]])
 * T.reference(nn.affineGrid(theta, [1, 1, 1, 2])).data // => [-0.25, 0, 0.75, 0]
 */
export const affineGrid: AffineGrid = dataFirstWith(
  'nn.affineGrid',
  2,
  affineGridOptions,
  roundedOnce((theta: Tensor, size: readonly number[], { alignCorners = false }: AffineGridOptions = {}) => {
    const given = demandShape('nn.affineGrid', size)
    if (isMistake(theta)) return theta
    const fail = (reason: string, hint: string): Tensor =>
      tensorOf(refuse('nn.affineGrid', [nodeOf(theta)], { reason, hint }))
    const [batch, , ...sizes] = given
    const spatial = sizes.length
    if ((spatial !== 2 && spatial !== 3) || !given.every((d) => Number.isInteger(d) && d >= 0))
      return fail(`the size is [${given.join(', ')}]`, 'give [N, C, H, W] or [N, C, D, H, W]')
    if (showShape(theta.shape) !== showShape([batch!, spatial, spatial + 1]))
      return fail(
        `theta has shape ${showShape(theta.shape)}, not ${showShape([batch!, spatial, spatial + 1])}`,
        'give a matrix with a column for the shift for each image',
      )
    if (!isFloat(theta.dtype)) return fail(`theta is ${theta.dtype}, not a float`, "cast it: T.cast(theta, 'f32')")
    // Axis k of the image is coordinate spatial - 1 - k.
    const columns = sizes.map((_, k) => {
      const axis = spatial - 1 - k
      const line = T.tensor(centres(sizes[axis]!, alignCorners), { dtype: 'f32' })
      const laid = sizes.map((d, i) => (i === axis ? d : 1))
      return T.broadcastTo(T.reshape(line, laid), sizes) as Tensor
    })
    const base = T.stack([...columns, T.ones(sizes)], { axis: -1 }) as Tensor
    const flat = T.cast(T.reshape(base, [sizeOf(sizes), spatial + 1]), theta.dtype) as Tensor
    return T.reshape(T.matmul(flat, T.matrixTranspose(theta)) as Tensor, [batch!, ...sizes, spatial])
  }),
)
