/** Channels exchanged with positions: upscaling and downscaling without arithmetic. */
import type { DType } from '../lang/dtype.ts'
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirst, dataFirstWith } from '../lang/tensor/dual.ts'
import { inverse } from '../lang/tensor/index/picking.ts'
import { onTensor, refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { permuteNode } from '../lang/tensor/shape/axes.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { range } from './windows.ts'

type Shuffle = {
  (factor: number): <D extends DType>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends DType>(x: Tensor<Tensor['shape'], D>, factor: number): Tensor<Tensor['shape'], D>
}

/** `[…, C, H, W]` as its leading axes and the last three sizes, or what is wrong with it. */
const image = (
  shape: readonly number[],
  factor: number,
): readonly [readonly number[], number, number, number] | string =>
  shape.length < 3
    ? `takes […, channels, height, width], not rank ${shape.length}`
    : !(Number.isInteger(factor) && factor > 0)
      ? `the factor ${factor} is not a positive whole number`
      : [shape.slice(0, -3), ...(shape.slice(-3) as unknown as readonly [number, number, number])]

/** In which order channels are told apart: block first (depth, column, row), or channel first (column, row, depth). */
export type DepthMode = 'DCR' | 'CRD'

/** Where the axes of `[…, block and channel, H, W]` go, for `[…, channel, H, r, W, r]`. */
const orders = { DCR: [2, 3, 0, 4, 1], CRD: [0, 3, 1, 4, 2] } as const

const toSpace = (name: string, x: Tensor, r: number, mode: DepthMode): Tensor =>
  onTensor(name, x, (n, { shape }) => {
    const parts = image(shape, r)
    if (typeof parts === 'string') return refuse(name, [n], { reason: parts })
    const [lead, c, h, w] = parts
    const k = lead.length
    if (c % (r * r) !== 0) return refuse(name, [n], { reason: `${c} channels are no multiple of ${r}²`, axis: k })
    const fewer = c / (r * r)
    const split = reshapeNode(n, [...lead, ...(mode === 'CRD' ? [fewer, r, r] : [r, r, fewer]), h, w])
    const order = [...range(k), ...orders[mode].map((i) => k + i)]
    return reshapeNode(permuteNode(split, order), [...lead, fewer, h * r, w * r])
  })

const toDepth = (name: string, x: Tensor, r: number, mode: DepthMode): Tensor =>
  onTensor(name, x, (n, { shape }) => {
    const parts = image(shape, r)
    if (typeof parts === 'string') return refuse(name, [n], { reason: parts })
    const [lead, c, h, w] = parts
    const k = lead.length
    const odd = [h, w].findIndex((d) => d % r !== 0)
    if (odd >= 0)
      return refuse(name, [n], {
        reason: `size ${[h, w][odd]} of axis ${k + 1 + odd} is no multiple of ${r}`,
        axis: k + 1 + odd,
      })
    const split = reshapeNode(n, [...lead, c, h / r, r, w / r, r])
    const order = [...range(k), ...inverse(orders[mode]).map((i) => k + i)]
    return reshapeNode(permuteNode(split, order), [...lead, c * r * r, h / r, w / r])
  })

/**
 * `[…, C·r², H, W]` → `[…, C, H·r, W·r]`: each group of r² channels becomes an r by r block (Shi et al. 2016). A view.
 * ShapeError where r² does not divide the channels.
 * @example
 * T.reference(nn.pixelShuffle(T.reshape(T.arange(8), [4, 1, 2]), 2)).data // => [0, 2, 1, 3, 4, 6, 5, 7]
 */
export const pixelShuffle: Shuffle = dataFirst('nn.pixelShuffle', 2, (x: Tensor, r: number) =>
  toSpace('nn.pixelShuffle', x, r, 'CRD'),
)

/**
 * The inverse of `pixelShuffle`: `[…, C, H·r, W·r]` → `[…, C·r², H, W]`. A view. ShapeError where r does not divide the
 * height and the width.
 * @example
 * const x = T.reshape(T.arange(8), [1, 2, 4])
 * T.reference(nn.pixelUnshuffle(x, 2)).data // => [0, 2, 1, 3, 4, 6, 5, 7]
 */
export const pixelUnshuffle: Shuffle = dataFirst('nn.pixelUnshuffle', 2, (x: Tensor, r: number) =>
  toDepth('nn.pixelUnshuffle', x, r, 'CRD'),
)

/** Options of `depthToSpace` and `spaceToDepth`: the order of the channels, 'DCR' unless given. */
export interface DepthOptions {
  readonly mode?: DepthMode | undefined
}

const depthOptions: OptionNames<DepthOptions> = { mode: 'own' }

type Depth = {
  (
    blockSize: number,
    options?: DepthOptions,
  ): <D extends DType>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends DType>(
    x: Tensor<Tensor['shape'], D>,
    blockSize: number,
    options?: DepthOptions,
  ): Tensor<Tensor['shape'], D>
}

const exchanged = (name: string, body: typeof toSpace): Depth =>
  dataFirstWith(name, 2, depthOptions, (x: Tensor, blockSize: number, { mode = 'DCR' }: DepthOptions = {}) => {
    demandChoice(name, 'mode', mode, ['DCR', 'CRD'])
    return body(name, x, blockSize, mode)
  })

/**
 * `[…, C·r², H, W]` → `[…, C, H·r, W·r]` with r = `blockSize` (ONNX DepthToSpace): channel (i·r + j)·C + c goes to row i and
 * column j of the blocks of channel c; under mode 'CRD' channel (c·r + i)·r + j does, as in `pixelShuffle`. A view.
 * ShapeError where r² does not divide the channels.
 * @example
 * const x = T.reshape(T.arange(8), [8, 1, 1])
 * T.reference(nn.depthToSpace(x, 2)).data // => [0, 2, 4, 6, 1, 3, 5, 7]
 * T.reference(nn.depthToSpace(x, 2, { mode: 'CRD' })).data // => [0, 1, 2, 3, 4, 5, 6, 7]
 */
export const depthToSpace: Depth = exchanged('nn.depthToSpace', toSpace)

/**
 * The inverse of `depthToSpace` (ONNX SpaceToDepth, which knows 'DCR' alone): `[…, C, H·r, W·r]` → `[…, C·r², H, W]`. A view.
 * ShapeError where r does not divide the height and the width.
 * @example
 * const x = T.reshape(T.arange(8), [2, 2, 2])
 * T.reference(nn.spaceToDepth(x, 2)).data // => [0, 4, 1, 5, 2, 6, 3, 7]
 */
export const spaceToDepth: Depth = exchanged('nn.spaceToDepth', toDepth)
