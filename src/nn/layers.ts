/** Embeddings and norms with their initial parameters as layers for `sequential`. */
import type { Shape } from '../lang/dim.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type BiasOptions, biasOptions, demandSizes } from './drawn.ts'
import { type EmbeddingInitOptions, embedding, embeddingInit, embeddingInitOptions } from './embedding.ts'
import {
  type EpsOptions,
  epsOptions,
  type GroupNormOptions,
  groupNorm,
  groupNormOptions,
  instanceNorm,
  layerNorm,
  rmsNorm,
} from './norm.ts'
import {
  type AsShape,
  groupNormInit,
  instanceNormInit,
  layerNormInit,
  rmsNormInit,
  type Scale,
  type ScaleOf,
} from './norm-init.ts'
import type { Layer } from './sequential.ts'

/**
 * The layer of `embedding`, whose parameters are a table of `embeddingInit`: indices `[…]` → `[…, width]`. The row `paddingIndex`
 * is zeros and gets no gradient. UsageError for sizes that are none, and for a row that is not there.
 * @example
 * const model = nn.sequential(nn.embeddingLayer(50, 8), nn.dense(8, 2))
 * model.apply(model.init(random.key(0)), T.tensor([[3, 1, 4]])).shape // => [1, 3, 2]
 */
export const embeddingLayer = <const C extends number, const W extends number>(
  count: C,
  width: W,
  options: EmbeddingInitOptions = {},
): Layer<Tensor<readonly [C, W], 'f32'>> => {
  demandRecord('nn.embeddingLayer', embeddingInitOptions, options)
  demandSizes('nn.embeddingLayer', { count, width })
  const { paddingIndex } = options
  const row = paddingIndex === undefined || paddingIndex >= 0 ? paddingIndex : paddingIndex + count
  const made: Layer<Tensor<readonly [C, W], 'f32'>> = {
    init: (key) => embeddingInit(key, count, width, options),
    apply: (table, x) => embedding(x, table, { paddingIndex: row }) as Tensor,
  }
  return printedCall(made, 'nn.embeddingLayer', count, width, options)
}

/** Options of `layerNormLayer`. */
export interface LayerNormLayerOptions extends EpsOptions, BiasOptions {}

const layerNormLayerOptions: OptionNames<LayerNormLayerOptions> = { ...epsOptions, ...biasOptions }

/**
 * The layer of `layerNorm` with parameters of `layerNormInit`: PyTorch's `nn.LayerNorm`. UsageError for a size that is none.
 * @example
 * const { init, apply } = nn.layerNormLayer(2, { eps: 0 })
 * T.reference(apply(init(random.key(0)), T.tensor([[1.5, 2.5]]))).data // => [-1, 1]
 */
export const layerNormLayer = <const N extends number | Shape, const Q extends LayerNormLayerOptions = object>(
  sizes: N,
  options?: Q & Only<Q, LayerNormLayerOptions>,
): Layer<ScaleOf<AsShape<N>, Q>> => {
  demandRecord('nn.layerNormLayer', layerNormLayerOptions, options)
  const { eps, bias }: LayerNormLayerOptions = options ?? {}
  demandSizes('nn.layerNormLayer', Object.fromEntries([sizes].flat().map((size, axis) => [`size ${axis}`, size])))
  const made: Layer<Partial<Scale<Shape>>> = {
    init: () => layerNormInit(sizes, { bias } as object),
    apply: (params, x) => layerNorm(x, params, { eps }),
  }
  return printedCall(made, 'nn.layerNormLayer', sizes, options) as never
}

/**
 * The layer of `rmsNorm` with parameters of `rmsNormInit`: PyTorch's `nn.RMSNorm`. UsageError for a size that is none.
 * @example
 * const { init, apply } = nn.rmsNormLayer(2)
 * T.reference(apply(init(random.key(0)), T.tensor([[3, 3.5]]))).shape // => [1, 2]
 */
export const rmsNormLayer = <const N extends number>(
  features: N,
  options: EpsOptions = {},
): Layer<{ readonly weight: Tensor<readonly [N], 'f32'> }> => {
  demandRecord('nn.rmsNormLayer', epsOptions, options)
  demandSizes('nn.rmsNormLayer', { features })
  const made: Layer<{ readonly weight: Tensor<readonly [N], 'f32'> }> = {
    init: () => rmsNormInit(features),
    apply: (params, x) => rmsNorm(x, params, options),
  }
  return printedCall(made, 'nn.rmsNormLayer', features, options)
}

/**
 * The layer of `groupNorm` with parameters of `groupNormInit`: PyTorch's `nn.GroupNorm(groups, channels)`. UsageError for a size that
 * is none.
 * @example
 * const { init, apply } = nn.groupNormLayer(4, { groups: 2, eps: 0 })
 * T.reference(apply(init(random.key(0)), T.tensor([[1, 3, 10, 30.0]], { dtype: 'f32' }))).data // => [-1, 1, -1, 1]
 */
export const groupNormLayer = <const C extends number>(
  channels: C,
  options: GroupNormOptions,
): Layer<Scale<readonly [C]>> => {
  demandRecord('nn.groupNormLayer', groupNormOptions, options)
  demandSizes('nn.groupNormLayer', { channels })
  const made: Layer<Scale<readonly [C]>> = {
    init: () => groupNormInit(channels),
    apply: (params, x) => groupNorm(x, params, options),
  }
  return printedCall(made, 'nn.groupNormLayer', channels, options)
}

/**
 * The layer of `instanceNorm` with parameters of `instanceNormInit`: PyTorch's `nn.InstanceNorm2d(channels, affine=True)`, for any
 * rank. UsageError for a size that is none.
 * @example
 * const { init, apply } = nn.instanceNormLayer(2, { eps: 0 })
 * T.reference(apply(init(random.key(0)), T.tensor([[[1, 3], [10, 30]]], { dtype: 'f32' }))).data // => [-1, 1, -1, 1]
 */
export const instanceNormLayer = <const C extends number>(
  channels: C,
  options: EpsOptions = {},
): Layer<Scale<readonly [C]>> => {
  demandRecord('nn.instanceNormLayer', epsOptions, options)
  demandSizes('nn.instanceNormLayer', { channels })
  const made: Layer<Scale<readonly [C]>> = {
    init: () => instanceNormInit(channels),
    apply: (params, x) => instanceNorm(x, params, options),
  }
  return printedCall(made, 'nn.instanceNormLayer', channels, options)
}
