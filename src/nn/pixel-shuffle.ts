/** Channels exchanged with positions: upscaling and downscaling without arithmetic. */
import type { DType } from '../lang/dtype.ts'
import { dataFirst } from '../lang/tensor/dual.ts'
import { onTensor, refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { permuteNode } from '../lang/tensor/shape/axes.ts'
import type { Tensor } from '../lang/types/tensor.ts'

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

const counting = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/**
 * `[…, C·r², H, W]` → `[…, C, H·r, W·r]`: each group of r² channels becomes an r by r block (Shi et al. 2016). A view.
 * ShapeError where r² does not divide the channels.
 * @example
 * T.reference(nn.pixelShuffle(T.reshape(T.arange(8), [4, 1, 2]), 2)).data // => [0, 2, 1, 3, 4, 6, 5, 7]
 */
export const pixelShuffle: Shuffle = dataFirst('nn.pixelShuffle', 2, (x: Tensor, r: number) =>
  onTensor('nn.pixelShuffle', x, (n, { shape }) => {
    const parts = image(shape, r)
    if (typeof parts === 'string') return refuse('nn.pixelShuffle', [n], { reason: parts })
    const [lead, c, h, w] = parts
    const k = lead.length
    if (c % (r * r) !== 0)
      return refuse('nn.pixelShuffle', [n], { reason: `${c} channels are no multiple of ${r}²`, axis: k })
    const split = reshapeNode(n, [...lead, c / (r * r), r, r, h, w])
    const order = [...counting(k), ...[0, 3, 1, 4, 2].map((i) => k + i)]
    return reshapeNode(permuteNode(split, order), [...lead, c / (r * r), h * r, w * r])
  }),
)

/**
 * The inverse of `pixelShuffle`: `[…, C, H·r, W·r]` → `[…, C·r², H, W]`. A view. ShapeError where r does not divide the
 * height and the width.
 * @example
 * const x = T.reshape(T.arange(8), [1, 2, 4])
 * T.reference(nn.pixelUnshuffle(x, 2)).data // => [0, 2, 1, 3, 4, 6, 5, 7]
 */
export const pixelUnshuffle: Shuffle = dataFirst('nn.pixelUnshuffle', 2, (x: Tensor, r: number) =>
  onTensor('nn.pixelUnshuffle', x, (n, { shape }) => {
    const parts = image(shape, r)
    if (typeof parts === 'string') return refuse('nn.pixelUnshuffle', [n], { reason: parts })
    const [lead, c, h, w] = parts
    const k = lead.length
    const odd = [h, w].findIndex((d) => d % r !== 0)
    if (odd >= 0)
      return refuse('nn.pixelUnshuffle', [n], {
        reason: `size ${[h, w][odd]} of axis ${k + 1 + odd} is no multiple of ${r}`,
        axis: k + 1 + odd,
      })
    const split = reshapeNode(n, [...lead, c, h / r, r, w / r, r])
    const order = [...counting(k), ...[0, 2, 4, 1, 3].map((i) => k + i)]
    return reshapeNode(permuteNode(split, order), [...lead, c * r * r, h / r, w / r])
  }),
)
