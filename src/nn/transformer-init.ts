/** The weights that blocks of transformers begin with, as PyTorch draws them. */
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { demandKey, foldIn } from '../lang/tensor/random/keys.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type BiasOptions, demandSizes, type WithBias } from './drawn.ts'
import { linearInit } from './init.ts'
import { type MultiHeadStart, multiHeadAttentionInit } from './multi-head-init.ts'
import { layerNormInit, type Scale } from './norm-init.ts'

/** Options of initial blocks: heads where those of keys are fewer, and biases (true). */
export interface BlockInitOptions extends BiasOptions {
  readonly heads?: number | undefined
  readonly keyHeads?: number | undefined
}

const blockInitOptions: OptionNames<BlockInitOptions> = { heads: 'count', keyHeads: 'count', bias: 'boolean' }

type LinearStart = WithBias<readonly [number, number], number, { readonly bias: boolean }>
type NormStart = Pick<Scale<readonly [number]>, 'weight'> & Partial<Scale<readonly [number]>>

/** What a block of an encoder begins with. */
export interface EncoderBlockStart {
  readonly selfAttn: MultiHeadStart
  readonly linear1: LinearStart
  readonly linear2: LinearStart
  readonly norm1: NormStart
  readonly norm2: NormStart
}

/** What a block of a decoder begins with. */
export interface DecoderBlockStart extends EncoderBlockStart {
  readonly multiheadAttn: MultiHeadStart
  readonly norm3: NormStart
}

/** The parts that both blocks have; options are checked by the name of the function called. */
const encoderStart = (
  name: string,
  key: Tensor,
  width: number,
  hidden: number,
  options: BlockInitOptions,
): EncoderBlockStart => {
  demandRecord(name, blockInitOptions, options)
  demandSizes(name, { width, hidden })
  demandKey(name, key)
  const { bias = true } = options
  return {
    selfAttn: multiHeadAttentionInit(foldIn(key, 0), width, options),
    linear1: linearInit(foldIn(key, 1), width, hidden, { bias }),
    linear2: linearInit(foldIn(key, 2), hidden, width, { bias }),
    norm1: layerNormInit(width, { bias }),
    norm2: layerNormInit(width, { bias }),
  }
}

/**
 * PyTorch's default of a `transformerEncoderBlock` of that width, `hidden` features between its linear layers: attention
 * as by `multiHeadAttentionInit`, linear layers as by `linearInit`, norms of ones and zeros. UsageError for sizes that are
 * none.
 * @example
 * const { linear1, norm2 } = nn.transformerEncoderBlockInit(random.key(0), 4, 16)
 * [linear1.weight.shape, norm2.weight.shape] // => [[16, 4], [4]]
 */
export const transformerEncoderBlockInit = (
  key: Tensor,
  width: number,
  hidden: number,
  options: BlockInitOptions = {},
): EncoderBlockStart => encoderStart('nn.transformerEncoderBlockInit', key, width, hidden, options)

/**
 * PyTorch's default of a `transformerDecoderBlock`: as `transformerEncoderBlockInit`, with attention to the memory and a
 * third norm.
 * @example
 * const { multiheadAttn } = nn.transformerDecoderBlockInit(random.key(0), 4, 16)
 * multiheadAttn.inProjWeight.shape // => [12, 4]
 */
export const transformerDecoderBlockInit = (
  key: Tensor,
  width: number,
  hidden: number,
  options: BlockInitOptions = {},
): DecoderBlockStart => ({
  ...encoderStart('nn.transformerDecoderBlockInit', key, width, hidden, options),
  multiheadAttn: multiHeadAttentionInit(foldIn(key, 3), width, options),
  norm3: layerNormInit(width, { bias: options.bias ?? true }),
})
