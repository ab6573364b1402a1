/** torch's layers in our functions: normalisation, convolution, pooling, attention, recurrence. */
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types.ts'
import type { ConvLayer } from '../../src/nn/conv.ts'
import {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  batchNorm,
  batchNormStep,
  type ConvOptions,
  type ConvParams,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dropout,
  embedding,
  embeddingBag,
  groupNorm,
  instanceNorm,
  layerNorm,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  multiHeadAttention,
  rmsNorm,
  type ScaleParams,
  scaledDotProductAttention,
} from '../../src/nn/index.ts'
import {
  at,
  type Call,
  flag,
  input,
  list,
  maybeInput,
  maybeNumber,
  maybeNumbers,
  number,
  numbers,
  type Op,
  optional,
  raw,
  text,
} from './call.ts'
import type { LayerName, Ops } from './names.ts'
import { recurrentOps } from './ops-recurrent.ts'

const scale = (c: Call): ScaleParams => ({
  ...optional('weight', maybeInput(c, 'weight')),
  ...optional('bias', maybeInput(c, 'bias')),
})

const eps = (c: Call, otherwise: number): { readonly eps: number } => ({ eps: number(c, 'eps', otherwise) })

/** With running statistics and training: the output and the moved statistics. Without them always the batch's own. */
const batchNormalised = (c: Call): readonly Tensor[] => {
  const [runningMean, runningVar] = [maybeInput(c, 'running_mean'), maybeInput(c, 'running_var')]
  const x = input(c, 'x')
  if (!runningMean || !runningVar) return [batchNorm(x, scale(c), eps(c, 1e-5))]
  const params = { ...scale(c), runningMean, runningVar }
  if (!flag(c, 'training', false)) return [batchNorm(x, params, eps(c, 1e-5))]
  const step = batchNormStep(x, params, { momentum: number(c, 'momentum', 0.1), ...eps(c, 1e-5) })
  return [step.output, step.runningMean, step.runningVar]
}

const attention = (c: Call): Tensor =>
  scaledDotProductAttention(input(c, 'q'), input(c, 'k'), input(c, 'v'), {
    causal: flag(c, 'is_causal', false),
    ...optional('mask', maybeInput(c, 'attn_mask')),
    ...optional('scale', maybeNumber(c, 'scale')),
  })

const manyHeads = (c: Call): Tensor => {
  const params = {
    inProjWeight: input(c, 'in_proj_weight'),
    outProjWeight: input(c, 'out_proj_weight'),
    ...optional('inProjBias', maybeInput(c, 'in_proj_bias')),
    ...optional('outProjBias', maybeInput(c, 'out_proj_bias')),
  }
  return multiHeadAttention(input(c, 'x'), params, {
    heads: number(c, 'num_heads'),
    causal: flag(c, 'is_causal', false),
  })
}

const convParams = (c: Call): ConvParams => ({ weight: input(c, 'weight'), ...optional('bias', maybeInput(c, 'bias')) })

const convolution =
  (f: ConvLayer<ConvOptions>): Op =>
  (c) => {
    const padding = raw(c, 'padding')
    return f(input(c, 'x'), convParams(c), {
      stride: numbers(c, 'stride', 1),
      padding: padding === 'same' || padding === 'valid' ? padding : numbers(c, 'padding', 0),
      dilation: numbers(c, 'dilation', 1),
      groups: number(c, 'groups', 1),
    })
  }

const transposed =
  (f: ConvLayer<ConvTransposeOptions>): Op =>
  (c) =>
    f(input(c, 'x'), convParams(c), {
      stride: numbers(c, 'stride', 1),
      padding: numbers(c, 'padding', 0),
      outputPadding: numbers(c, 'output_padding', 0),
      dilation: numbers(c, 'dilation', 1),
      groups: number(c, 'groups', 1),
    })

/** A stride that is absent, or torch's empty list, is the window's size. */
const strides = (c: Call): { readonly stride?: number | readonly number[] } => {
  const stride = maybeNumbers(c, 'stride')
  return Array.isArray(stride) && stride.length === 0 ? {} : optional('stride', stride)
}

const averages = (c: Call): AvgPoolOptions => ({
  kernelSize: numbers(c, 'kernel_size'),
  ...strides(c),
  padding: numbers(c, 'padding', 0),
  ceilMode: flag(c, 'ceil_mode', false),
  countIncludePad: flag(c, 'count_include_pad', true),
  ...optional('divisorOverride', maybeNumber(c, 'divisor_override')),
})

const windows = (c: Call): MaxPoolOptions => ({
  kernelSize: numbers(c, 'kernel_size'),
  ...strides(c),
  padding: numbers(c, 'padding', 0),
  dilation: numbers(c, 'dilation', 1),
  ceilMode: flag(c, 'ceil_mode', false),
})

/** A negative padding index counts from the last row. */
const embedded = (c: Call): Tensor => {
  const weight = at(c, 1) as Tensor<readonly [number, number]>
  const row = maybeNumber(c, 'padding_idx')
  const paddingIndex = row !== undefined && row < 0 ? row + weight.shape[0] : row
  return embedding(at(c, 0), weight, optional('paddingIndex', paddingIndex)) as Tensor
}

/** The layers of ops.py's nn section; `undefined` is an op we do not have. */
export const layerOps: Ops<LayerName> = {
  layer_norm: (c) => layerNorm(input(c, 'x'), scale(c), { rank: list(c, 'normalized_shape').length, ...eps(c, 1e-5) }),
  rms_norm: (c) => rmsNorm(input(c, 'x'), optional('weight', maybeInput(c, 'weight')), eps(c, 1e-6)),
  batch_norm: batchNormalised,
  group_norm: (c) => groupNorm(input(c, 'x'), scale(c), { groups: number(c, 'num_groups'), ...eps(c, 1e-5) }),
  instance_norm: (c) => instanceNorm(input(c, 'x'), scale(c), eps(c, 1e-5)),
  conv1d: convolution(conv1d),
  conv2d: convolution(conv2d),
  conv3d: convolution(conv3d),
  conv_transpose1d: transposed(convTranspose1d),
  conv_transpose2d: transposed(convTranspose2d),
  conv_transpose3d: transposed(convTranspose3d),
  max_pool1d: (c) => maxPool1d(at(c, 0), windows(c)),
  max_pool2d: (c) => maxPool2d(at(c, 0), windows(c)),
  avg_pool1d: (c) => avgPool1d(at(c, 0), averages(c)),
  avg_pool2d: (c) => avgPool2d(at(c, 0), averages(c)),
  adaptive_avg_pool1d: undefined,
  adaptive_avg_pool2d: undefined,
  adaptive_max_pool2d: undefined,
  lp_pool2d: undefined,
  interpolate: undefined,
  pixel_shuffle: undefined,
  im2col: undefined,
  embedding: embedded,
  embedding_bag: (c) =>
    embeddingBag(at(c, 0), at(c, 1) as Tensor<readonly [number, number]>, {
      ...optional('offsets', c.xs[2]),
      mode: text(c, 'mode', 'mean') as 'sum' | 'mean' | 'max',
    }),
  dropout: (c) =>
    dropout(at(c, 0), T.zeros([2], { dtype: 'u32' }), { p: number(c, 'p'), training: flag(c, 'training', false) }),
  scaled_dot_product_attention: attention,
  multi_head_attention: manyHeads,
  ...recurrentOps,
}
