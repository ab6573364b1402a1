/** Blocks of transformers: attention and a network for each position, each with a norm and what goes past it. */
import { dataFirstWith, dualWith } from '../lang/tensor/dual.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import {
  attending,
  type DecoderBlockOptions,
  type DecoderBlockParams,
  decoderOptions,
  decoderParts,
  demandBlock,
  type EncoderBlockOptions,
  type EncoderBlockParams,
  encoderOptions,
  encoderParts,
  feedingForward,
  own,
  type Sublayer,
  stack,
  wrongBlock,
} from './transformer-parts.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

type EncoderBlock = {
  (
    params: EncoderBlockParams,
    options: EncoderBlockOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    params: EncoderBlockParams,
    options: EncoderBlockOptions,
  ): Tensor<S, D>
}

/**
 * A block of a transformer's encoder (Vaswani et al. 2017; PyTorch's TransformerEncoderLayer): `x` `[…, L, E]` plus its
 * attention to itself, normalised, plus `linear2(activation(linear1(·)))` of that, normalised; norms come before what
 * they feed under `normFirst`. With `causal` and `normFirst` it is the block of GPT. `mask`, `causal`, `keyHeads` and
 * `rotary` are those of `multiHeadAttention`; `dropout` falls on weights, on the inner layer and on what is added, all
 * drawn from `dropoutKey`. Same shape and dtype. ShapeError for parameters that do not fit.
 * @example
 * const params = nn.transformerEncoderBlockInit(random.key(0), 4, 16)
 * const x = random.normal(random.key(1), [2, 3, 4])
 * nn.transformerEncoderBlock(x, params, { heads: 2 }).shape // => [2, 3, 4]
 * const gpt = nn.transformerEncoderBlock(params, { heads: 2, causal: true, normFirst: true, activation: nn.gelu })
 * // What comes later changes nothing of what was before.
 * const [all, first] = T.reference([gpt(x), gpt(T.narrow(x, 0, 1, { axis: 1 }))])
 * all.data.slice(0, 4).every((v, i) => Math.abs(v - first.data[i]!) < 1e-6) // => true
 */
export const transformerEncoderBlock: EncoderBlock = dataFirstWith(
  'nn.transformerEncoderBlock',
  2,
  encoderOptions,
  (x: Tensor, params: EncoderBlockParams, options: EncoderBlockOptions) => {
    const name = 'nn.transformerEncoderBlock'
    demandBlock(name, encoderParts, params, options)
    const wrong = wrongBlock(name, x, { mask: options.mask }, params)
    if (wrong) return wrong
    const sublayers: readonly Sublayer[] = [
      [attending(params.selfAttn, 1, own(options)), params.norm1],
      [feedingForward(name, params, options), params.norm2],
    ]
    return stack(name, x, sublayers, options)
  },
)

type DecoderBlock = {
  (
    memory: Tensor,
    params: DecoderBlockParams,
    options: DecoderBlockOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    memory: Tensor,
    params: DecoderBlockParams,
    options: DecoderBlockOptions,
  ): Tensor<S, D>
}

/**
 * A block of a transformer's decoder (Vaswani et al. 2017; PyTorch's TransformerDecoderLayer): attention of `x` `[…, L,
 * E]` to itself, attention to the `memory` `[…, M, E]`, and the network for each position, each added and normalised as in
 * `transformerEncoderBlock`. `mask`, `causal` and `rotary` are those of the attention to itself, `memoryMask` is that of
 * the attention to the memory. ShapeError for parameters that do not fit.
 * @example
 * const params = nn.transformerDecoderBlockInit(random.key(0), 4, 16)
 * const [x, memory] = [random.normal(random.key(1), [2, 3, 4]), random.normal(random.key(2), [2, 5, 4])]
 * nn.transformerDecoderBlock(x, memory, params, { heads: 2, causal: true }).shape // => [2, 3, 4]
 */
export const transformerDecoderBlock: DecoderBlock = dualWith(
  'nn.transformerDecoderBlock',
  3,
  decoderOptions,
  (x: Tensor, memory: Tensor, params: DecoderBlockParams, options: DecoderBlockOptions) => {
    const name = 'nn.transformerDecoderBlock'
    demandBlock(name, decoderParts, params, options)
    const { mask, memoryMask } = options
    const wrong = wrongBlock(name, x, { memory, mask, memoryMask }, params)
    if (wrong) return wrong
    const { causal: _, rotary: __, ...across } = own(options)
    const sublayers: readonly Sublayer[] = [
      [attending(params.selfAttn, 1, own(options)), params.norm1],
      [attending(params.multiheadAttn, 2, { ...across, mask: memoryMask, key: memory }), params.norm2],
      [feedingForward(name, params, options), params.norm3],
    ]
    return stack(name, x, sublayers, options)
  },
)
