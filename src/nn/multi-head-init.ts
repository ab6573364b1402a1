/** The weights that attention in several heads begins with, as PyTorch draws them. */
import { raise } from '../lang/errors.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import { demandKey, foldIn } from '../lang/tensor/random/keys.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type BiasOptions, demandSizes } from './drawn.ts'
import { linearInit, xavierUniform } from './init.ts'

/** Options of `multiHeadAttentionInit`: how many heads of queries there are to those of keys, where they are fewer; biases (true). */
export interface MultiHeadInitOptions extends BiasOptions {
  readonly heads?: number | undefined
  readonly keyHeads?: number | undefined
}

const multiHeadInitOptions: OptionNames<MultiHeadInitOptions> = { heads: 'count', keyHeads: 'count', bias: 'boolean' }

/** The weights that attention begins with. */
export interface MultiHeadStart {
  readonly inProjWeight: Tensor<readonly [number, number], 'f32'>
  readonly inProjBias?: Tensor<readonly [number], 'f32'>
  readonly outProjWeight: Tensor<readonly [number, number], 'f32'>
  readonly outProjBias?: Tensor<readonly [number], 'f32'>
}

/**
 * PyTorch's default of `multiHeadAttention` of that width: f32 `inProjWeight` `[3·width, width]` by `xavierUniform`,
 * `outProjWeight` `[width, width]` uniform within ±1/√width, biases of zeros. Where `keyHeads` of `heads` are given, there
 * are as many rows for keys and values. UsageError for sizes that are none, or do not divide.
 * @example
 * const params = nn.multiHeadAttentionInit(random.key(0), 8)
 * [params.inProjWeight.shape, params.outProjBias!.shape] // => [[24, 8], [8]]
 * nn.multiHeadAttentionInit(random.key(0), 8, { heads: 4, keyHeads: 1, bias: false }).inProjWeight.shape // => [12, 8]
 */
export const multiHeadAttentionInit = (
  key: Tensor,
  width: number,
  options: MultiHeadInitOptions = {},
): MultiHeadStart => {
  const name = 'nn.multiHeadAttentionInit'
  demandRecord(name, multiHeadInitOptions, options)
  demandSizes(name, { width })
  demandKey(name, key)
  const { heads = 1, keyHeads = heads, bias = true } = options
  if (width % heads !== 0 || heads % keyHeads !== 0)
    raise({
      tag: 'UsageError',
      message: `${name}: ${keyHeads} of ${heads} heads do not divide a width of ${width}`,
      hint: 'heads divides the width, keyHeads divides heads',
    })
  const rows = width + 2 * keyHeads * (width / heads)
  return {
    inProjWeight: xavierUniform(foldIn(key, 0), [rows, width]),
    ...(bias ? { inProjBias: T.zeros([rows]) } : {}),
    outProjWeight: linearInit(foldIn(key, 1), width, width).weight,
    ...(bias ? { outProjBias: T.zeros([width]) } : {}),
  }
}
